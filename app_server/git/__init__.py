"""What git knows about a folder."""
