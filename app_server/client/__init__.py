"""The calling half: what an interface or a program uses to speak with a server."""
