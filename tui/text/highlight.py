"""Code in colours, line by line.

A line's colours depend on the lines before it and on nothing after it, so that code can be shown
for good while more of it is still arriving. pygments is loaded at the first coloured line; code of
an unknown language, and what lies beyond `LONGEST_LINES` lines, stays plain.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rich.segment import Segment
from rich.style import Style

from tui.text.palette import Palette
from tui.text.spans import Spans

if TYPE_CHECKING:
    from pygments.lexer import Lexer

LONGEST_LINES = 2_000
LONGEST_LINE_CHARS = 1_000

_ALIASES = {
    "shell": "bash",
    "sh": "bash",
    "zsh": "bash",
    "console": "text",
    "jsonc": "json",
    "jsonl": "json",
    "tsx": "typescript",
    "jsx": "javascript",
    "patch": "diff",
    "plaintext": "text",
    "txt": "text",
}
_SPAN_COMMENTS = (("/*", "*/"), ("<!--", "-->"), ("{-", "-}"), ("(*", "*)"))


class LineHighlighter:
    """Colours the lines of one piece of code, given in order."""

    def __init__(self, language: str, palette: Palette) -> None:
        self._palette = palette
        self._lexer = lexer_for(language)
        self._stack: list[str] = ["root"]
        self._comment_end = ""
        self._lines = 0

    def __copy__(self) -> "LineHighlighter":
        twin = LineHighlighter.__new__(LineHighlighter)
        twin.__dict__.update(self.__dict__)
        twin._stack = list(self._stack)
        return twin

    def line(self, text: str) -> Spans:
        """The next line, without its line feed, already clean."""
        self._lines += 1
        lexer = self._lexer
        if lexer is None or self._lines > LONGEST_LINES or len(text) > LONGEST_LINE_CHARS:
            return [Segment(text, self._palette.text or None)]
        if self._comment_end:
            return self._inside_comment(text)
        tokens = _tokens(lexer, text, self._stack)
        self._note_open_comment(tokens)
        return _coloured(tokens, self._palette)

    def _inside_comment(self, text: str) -> Spans:
        style = token_style(self._palette, "Comment.Multiline")
        at = text.find(self._comment_end)
        if at < 0:
            return [Segment(text, style)]
        at += len(self._comment_end)
        self._comment_end = ""
        head = [Segment(text[:at], style)]
        return [*head, *self.line(text[at:])] if at < len(text) else head

    def _note_open_comment(self, tokens: list[tuple[Any, str]]) -> None:
        """A comment that the lexer takes in one piece goes on in the next line."""
        for kind, value in tokens:
            if "Comment" not in str(kind):
                continue
            for opening, closing in _SPAN_COMMENTS:
                at = value.rfind(opening)
                if at >= 0 and closing not in value[at + len(opening) :] and len(self._stack) < 2:
                    self._comment_end = closing


def highlight(code: str, language: str, palette: Palette) -> list[Spans]:
    """Clean code in colours, one entry per line."""
    highlighter = LineHighlighter(language, palette)
    return [highlighter.line(row) for row in code.split("\n")]


def language_of(path: str) -> str:
    """A language name for a file, by its name alone; empty when unknown."""
    name = path.rsplit("/", 1)[-1]
    return f"file:{name}" if "." in name or name in ("Makefile", "Dockerfile") else ""


@lru_cache(maxsize=64)
def lexer_for(language: str) -> "Lexer | None":
    """The lexer for a fence's language or a `language_of` name; None leaves the code plain."""
    words = language.strip().split(maxsplit=1)
    name = words[0].strip("{}.").lower() if words else ""
    name = _ALIASES.get(name, name)
    if not name or name == "text":
        return None
    # Costs about 10 ms once, and a millisecond per language.
    from pygments.lexers import find_lexer_class_for_filename, get_lexer_by_name
    from pygments.util import ClassNotFound

    if name.startswith("file:"):
        found = find_lexer_class_for_filename(language.strip()[5:])
        return None if found is None or found.name == "Text only" else found()
    try:
        return get_lexer_by_name(name)
    except ClassNotFound:
        return None


@lru_cache(maxsize=512)
def token_style(palette: Palette, kind: str) -> Style | None:
    """The style of a pygments token name such as "Literal.String.Doc"."""
    theme = None if palette.code_theme is None else _theme(palette.code_theme)
    if theme is not None:
        return _themed(theme, kind)
    best: Style | None = None
    best_length = -1
    for prefix, style in palette.syntax:
        if (kind == prefix or kind.startswith(prefix + ".")) and len(prefix) > best_length:
            best, best_length = style, len(prefix)
    return best


def is_theme(name: str) -> bool:
    """Whether code can be coloured by that name."""
    return _theme(name) is not None


@lru_cache(maxsize=4)
def _theme(name: str) -> Any:
    """The Pygments style of that name; None if there is none."""
    from pygments.styles import get_style_by_name  # about 10 ms
    from pygments.util import ClassNotFound

    try:
        return get_style_by_name(name)
    except ClassNotFound:
        return None


def _themed(theme: Any, kind: str) -> Style | None:
    """The theme's colour without its background, which is the terminal's."""
    from pygments.token import string_to_tokentype

    found = theme.style_for_token(string_to_tokentype(kind))
    colour = found["color"]
    style = Style(
        color=f"#{colour}" if colour else None,
        bold=found["bold"] or None,
        italic=found["italic"] or None,
        underline=found["underline"] or None,
    )
    return style or None


def _coloured(tokens: list[tuple[Any, str]], palette: Palette) -> Spans:
    spans: Spans = []
    for kind, value in tokens:
        style = token_style(palette, str(kind).removeprefix("Token.").removeprefix("Token"))
        if spans and spans[-1].style == style:
            spans[-1] = Segment(spans[-1].text + value, style)
        else:
            spans.append(Segment(value, style))
    return spans


def _tokens(lexer: "Lexer", text: str, stack: list[str]) -> list[tuple[Any, str]]:
    """One line's tokens; `stack` is the lexer's state and is carried to the next line."""
    from pygments.lexer import ExtendedRegexLexer, RegexLexer

    if not isinstance(lexer, RegexLexer) or isinstance(lexer, ExtendedRegexLexer):
        found = [(kind, value) for _, kind, value in lexer.get_tokens_unprocessed(text + "\n")]
    else:
        found = _run(lexer, text + "\n", stack)
    return _fitted(found, text)


def _fitted(tokens: list[tuple[Any, str]], text: str) -> list[tuple[Any, str]]:
    """The tokens without the line feed; the plain line if a lexer changed the text."""
    if "".join(value for _, value in tokens).rstrip("\n") != text.rstrip("\n"):
        return [("Token.Text", text)]
    return [(kind, value.replace("\n", "")) for kind, value in tokens if value != "\n"]


def _run(lexer: Any, text: str, stack: list[str]) -> list[tuple[Any, str]]:
    """A regex lexer over one line, its state kept in `stack`."""
    from pygments.token import Error, Text, _TokenType

    definitions = lexer._tokens
    found: list[tuple[Any, str]] = []
    at = idle = 0
    while at < len(text):
        for match_at, action, new_state in definitions[stack[-1]]:
            match = match_at(text, at)
            if match is None:
                continue
            if action is not None:
                if type(action) is _TokenType:
                    found.append((action, match.group()))
                else:
                    found += [(kind, value) for _, kind, value in action(lexer, match)]
            idle = idle + 1 if match.end() == at else 0
            at = match.end()
            if new_state is not None:
                _enter(new_state, stack)
            break
        else:
            if text[at] == "\n":
                del stack[1:]
                found.append((Text, "\n"))
            else:
                found.append((Error, text[at]))
            at += 1
        if idle > 50:
            del stack[1:]
            found.append((Text, text[at:]))
            break
    return found


def _enter(new_state: Any, stack: list[str]) -> None:
    """Change the lexer's state stack as its rules say."""
    if isinstance(new_state, int):
        if abs(new_state) >= len(stack):
            del stack[1:]
        else:
            del stack[new_state:]
        return
    for state in (new_state,) if isinstance(new_state, str) else new_state:
        if state == "#pop":
            if len(stack) > 1:
                stack.pop()
        elif state == "#push":
            stack.append(stack[-1])
        else:
            stack.append(state)
