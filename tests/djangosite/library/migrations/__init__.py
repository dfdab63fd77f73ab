"""The library's schema, in the steps it came in."""
