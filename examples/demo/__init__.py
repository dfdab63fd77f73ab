"""The same Django site twice under `gunicorn --preload`: with the usual driver, then with forksafe.

    __main__ ── scenario ─┬─ fleet      gunicorn: master and workers, started and always ended
                          ├─ load       clients that check every answer against what they asked
                          ├─ tally      what is counted
                          └─ progress, table

`column` says which driver is measured, `pace` how hard and how long. `site/` is what is served: the
same code in both columns, only `DATABASES` differs.

Nothing here is written in advance: the runner knows only what a client sees over HTTP, what the
site reports about itself (`site/report.py`) and what the server answers to root.
"""
