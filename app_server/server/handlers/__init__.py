"""One module per topic, imported when the topic is first asked for; see `registry`."""
