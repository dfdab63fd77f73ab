"""The storm: a parent whose threads use the pool without a pause forks at full speed.

`python -m tests.storm` runs it, in processes of its own: a small parent forks fast, and its memory
and descriptors can be judged. Each child uses what it inherited from three threads, checks every
answer, reports, and ends in a random way. What must not happen is counted, and is zero.
"""
