"""Configuration: files, flags and defaults become one immutable `Config` per thread."""
