"""A service that plays a script on loopback: the offline demo, and the tests' model."""
