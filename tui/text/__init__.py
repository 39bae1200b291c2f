"""Text as the terminal shows it: markdown, diffs, colours, wrapping, and nothing raw."""
