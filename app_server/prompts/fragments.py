"""Marked pieces of context: text between a pair of tags that says what it is."""


def marked(tag: str, body: str) -> str:
    """`body` on lines of its own between `<tag>` and `</tag>`."""
    return f"<{tag}>\n{body}\n</{tag}>"
