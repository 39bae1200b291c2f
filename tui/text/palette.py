"""Names for the styles of the transcript.

The default uses the terminal's own sixteen colours and no background, so that it is readable on
dark and light terminals alike. A theme changes the colours of code alone.
"""

import msgspec
from rich.style import Style

S = Style.parse


class Palette(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What each kind of text looks like. `syntax` maps pygments token names to styles, longest
    prefix first: "Comment", "Keyword", "Literal.String", …"""

    text: Style = Style.null()
    dim: Style = S("dim")
    faint_italic: Style = S("dim italic")
    strong: Style = S("bold")
    emphasis: Style = S("italic")
    struck: Style = S("strike")
    accent: Style = S("cyan")
    key: Style = S("bold")
    prompt: Style = S("bold")
    prompt_row: Style = Style.null()
    """Under the whole width of the user's messages; null leaves the terminal's background."""
    running: Style = S("bold")
    success: Style = S("green")
    failure: Style = S("red")
    warning: Style = S("yellow")
    error: Style = S("red")
    mode: Style = S("magenta")
    command: Style = Style.null()
    output: Style = S("dim")
    heading_1: Style = S("bold underline")
    heading_2: Style = S("bold")
    heading_3: Style = S("bold italic")
    heading_4: Style = S("italic")
    code: Style = S("cyan")
    link: Style = S("cyan underline")
    quote: Style = S("green")
    number: Style = S("bright_blue")
    rule: Style = S("dim")
    table_head: Style = S("bold")
    added: Style = S("green")
    removed: Style = S("red")
    added_row: Style = Style.null()
    removed_row: Style = Style.null()
    line_number: Style = S("dim")
    plan_done: Style = S("dim strike")
    plan_now: Style = S("bold cyan")
    plan_todo: Style = S("dim")
    proposed_row: Style = Style.null()
    code_theme: str | None = None
    """The Pygments style that code has instead of `syntax`, where there is one of that name."""
    syntax: tuple[tuple[str, Style], ...] = (
        ("Comment.Preproc", S("magenta")),
        ("Comment", S("bright_black")),
        ("Keyword.Constant", S("bright_blue")),
        ("Keyword", S("magenta")),
        ("Operator.Word", S("magenta")),
        ("Name.Function", S("blue")),
        ("Name.Class", S("bold blue")),
        ("Name.Decorator", S("yellow")),
        ("Name.Builtin", S("cyan")),
        ("Name.Tag", S("blue")),
        ("Name.Attribute", S("cyan")),
        ("Name.Variable", S("cyan")),
        ("Literal.String", S("green")),
        ("Literal.Number", S("bright_blue")),
        ("Generic.Deleted", S("red")),
        ("Generic.Inserted", S("green")),
        ("Generic.Heading", S("bold")),
        ("Generic.Subheading", S("bold")),
        ("Generic.Emph", S("italic")),
        ("Generic.Strong", S("bold")),
    )


TERMINAL = Palette()


def coloured(code_theme: str | None) -> Palette:
    """The palette with that theme for code."""
    if code_theme is None:
        return TERMINAL
    return msgspec.structs.replace(TERMINAL, code_theme=code_theme)
