"""Schema of the demo site."""
