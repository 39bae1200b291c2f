"""Threads on disk: one file of lines per thread, the names, and lists over them."""
