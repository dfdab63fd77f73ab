"""A small Django site: tickets to read, jobs to run, and a ledger that gunicorn's master keeps."""
