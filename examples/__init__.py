"""Examples that run.

python -m examples.demo                      the usual driver and forksafe under gunicorn
python examples/plain.py URL                 one pool, two processes
python examples/sqlalchemy_app.py URL        the same by SQLAlchemy
"""
