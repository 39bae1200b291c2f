"""A command line in colours, as somebody has to see it who lets it run."""

from tui.text.highlight import highlight
from tui.text.palette import Palette
from tui.text.sanitize import marked
from tui.text.spans import Spans, flagged


def command_lines(command: str, palette: Palette) -> list[Spans]:
    """One entry per line; what cannot be seen in it is marked."""
    rows = highlight(marked(command).strip("\n"), "bash", palette)
    return [flagged(row, palette.warning) for row in rows]
