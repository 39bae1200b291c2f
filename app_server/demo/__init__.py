"""A model service that plays a script over HTTP on loopback: the offline demo and the tests' model."""
