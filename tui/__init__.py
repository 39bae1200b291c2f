"""The terminal interface: everything the user sees."""
