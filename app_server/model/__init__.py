"""The model's service: one request in, one stream of typed events out, errors a person can read."""
