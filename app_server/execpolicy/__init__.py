"""What a command line does, read from its words: its parts, its risk, the rule to allow it."""
