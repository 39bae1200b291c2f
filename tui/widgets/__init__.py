"""The visible things, one per file: state comes in, messages go out."""
