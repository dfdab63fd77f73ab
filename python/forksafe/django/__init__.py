"""Django's database backend: `"ENGINE": "forksafe.django"`.

    DATABASES = {"default": {
        "ENGINE": "forksafe.django",
        "NAME": "app", "USER": "app", "PASSWORD": "…", "HOST": "db",
        "OPTIONS": {"pool": True},  # or a dict of the pool's options; leave it out for no pool
    }}

Read the wrapper from the ground up, each file a layer on the one before it:

    fork.py      a forked child finds a wrapper without connection and transaction
    healing.py   a connection that died idle is replaced before the next statement (and cursor.py)
    pool.py      OPTIONS["pool"] (and threads.py: a thread that ends gives its connection back)
    server.py    what the server is and can do
    base.py      what Django asks of a MySQL backend

What django.db.backends.mysql can lend without importing MySQLdb is subclassed, not copied.
"""
