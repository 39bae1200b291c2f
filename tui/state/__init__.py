"""What the screen is a function of: values, events and reducers. No I/O, clock, Textual or rich."""
