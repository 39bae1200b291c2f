"""One or several from a list."""
