"""What the agent asks of the user."""
