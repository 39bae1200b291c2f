"""The patch language: reading it, finding its places, changing files, showing the change."""
