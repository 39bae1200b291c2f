"""What stands between the conversation and the composer, and below it."""
