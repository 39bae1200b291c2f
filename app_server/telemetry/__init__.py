"""What may be told about use and trouble, and only where it is allowed."""
