"""The input area: text, elements, history, popups."""
