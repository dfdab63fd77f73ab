"""One behaviour a file; `conftest.py` says what a test can ask for."""
