"""The agent's side of commands: what to run, where, and how long to wait for it."""
