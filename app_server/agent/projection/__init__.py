"""Pure readings of a thread's events: notifications, stored lines, restored turns."""
