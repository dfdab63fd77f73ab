"""A small Django project for the tests: a library with its authors, its books and the admin."""
