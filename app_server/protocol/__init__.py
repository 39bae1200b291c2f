"""What client and server say to each other: values, methods and their names; no behaviour."""
