"""The app-server and everything it stands on; the terminal interface lives in `tui`."""
