"""Process managers as their users run them, and applications that need no hook under any.

What is managed, in processes of its own:

    ways         to ask: forksafe.Pool, SQLAlchemy's engine, Django with a pool and without
    ledger       asks while it is imported, and keeps a transaction open from then on
    report       what the test is told outside of answers
    settings     the Django project; site: its pages, for WSGI; apps: for runserver
    tasks        for Celery; broker: its messages as files
    jobs, hire   for multiprocessing and concurrent.futures; what is done, and who has it done
    library      settings for Django's test runner

What looks on, in the process of the tests:

    given        where the server is, handed on by the environment
    manager      a program that is started, and ended with all that it started
    master       the process that imported the application, by the server's word and its own
    answers      which process has used which session
    stall        a worker in the middle of a statement
    clients      ask over HTTP, and check each answer against what they asked
    served       a site under a manager
    fixtures     what tests can ask for: `manage`, `serve`
"""
