"""The matrix: each state of a parent, each act of a child, each transport, each way to fork.

A cell is one of each. The parent enters the state and forks; the child acts, works on its own at
full size and leaves; then the parent is asked whether anything was disturbed.

To add a state: write a class on top of `State` and list it in `cells.STATES`. An act, a way and
a transport are added likewise; what cannot be is left out by a rule in `cells`, with its reason.
"""
