"""What the tests, the demo and the Makefile need around forksafe; not part of the package."""
