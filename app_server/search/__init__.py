"""Finding files by a few letters of their path."""
