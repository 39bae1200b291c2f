"""The conversation: a virtual list in full screen, the live tail inline."""
