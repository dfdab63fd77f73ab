"""Authors, books and shelves."""
