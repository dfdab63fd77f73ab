"""What fork safety costs, measured beside the peers. Run by hand, never by the tests."""
