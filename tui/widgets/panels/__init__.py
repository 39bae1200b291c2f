"""Cards with facts."""
