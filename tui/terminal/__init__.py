"""The terminal itself: first paint, drivers, painting, title, clipboard, notes, suspension."""
