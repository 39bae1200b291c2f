"""Hooks: programs a person wants run at certain moments of a turn."""
