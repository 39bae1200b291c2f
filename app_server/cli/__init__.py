"""The command line: the roof that joins interface, server and services."""
