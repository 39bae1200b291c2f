"""Shell scripts → the simple commands in them, where the script is plain enough to be sure.

Plain means words, quoted strings and `&& || ; |` or line breaks between commands, nothing else.
Only kinds of syntax known to mean just that are let through; whatever needs a shell to understand
makes the answer None: variables, substitutions, redirections, escapes, braces, groups, background
jobs, comments, assignments, reserved words. Nothing may stand between two pieces but blanks, so
that never less is seen than a shell runs.

File-name patterns (`*`, `?`, `[`) stay in words as they are.
"""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import msgspec

from app_server.execpolicy.shell_tree import (
    LONGEST_SCRIPT_BYTES,
    Script,
    Unreadable,
    read_script,
)

if TYPE_CHECKING:
    from tree_sitter import Node

SHELLS = frozenset({"bash", "zsh", "sh"})
_SYSTEM_FOLDERS = ("/bin/", "/usr/bin/", "/usr/local/bin/", "/opt/homebrew/bin/")

Operator: TypeAlias = Literal["", "&&", "||", ";", "|"]
"""What stands in front of a command; "" for the first one."""


def word_set(text: str) -> frozenset[str]:
    """The words of a text as a set, for tables of names."""
    return frozenset(text.split())


_OPERATORS: dict[str, Operator] = {"&&": "&&", "||": "||", ";": ";", "|": "|"}
_SEQUENCES = frozenset({"program", "list", "pipeline"})
_RESERVED = word_set(
    "if then elif else fi for while until do done case esac select function time coproc in [[ ]]"
)
_EXPANDED_IN_WORDS = frozenset("\\$`{}")
_EXPANDED_IN_QUOTES = frozenset("\\$`")
_NOTHING: frozenset[str] = frozenset()
_OF_PLAIN_QUOTES = frozenset({'"', "string_content"})
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f]")
_ANY_SHELL = SHELLS | {"ash", "dash", "fish", "ksh"}
_OPTIONS_WITH_A_WORD = frozenset({"-o", "+o", "-O", "+O", "--rcfile", "--init-file"})
_MOST_OPTIONS = 64
"""Words looked at after a shell's name for its script."""
_MOST_SCRIPTS = 32
_DEEPEST_SHELL = 4
"""Shells in the scripts of shells that are looked into."""


class Part(msgspec.Struct, frozen=True):
    """One simple command of a script."""

    operator: Operator
    words: list[str]


def shell_script(argv: Sequence[str]) -> str | None:
    """The script of `bash|zsh|sh -lc|-c SCRIPT`; None for any other command.

    A shell is one of the system's, or the user's own: any file can be called `bash`.
    """
    if len(argv) != 3 or argv[1] not in ("-lc", "-c"):
        return None
    shell = argv[0]
    if program_name(shell) in SHELLS or (shell == own_shell() and _bare(shell) in SHELLS):
        return argv[2]
    return None


def program_name(word: str) -> str | None:
    """The name of a program that comes with the system; None for one that lies elsewhere."""
    folder, slash, name = word.rpartition("/")
    if slash and folder + "/" not in _SYSTEM_FOLDERS:
        return None
    return name


@cache
def own_shell() -> str:
    """The shell the user logs in with, wherever it lies; empty for a user nobody knows."""
    try:
        return pwd.getpwuid(os.getuid()).pw_shell
    except KeyError:
        return ""


def _bare(word: str) -> str:
    return word.rsplit("/", 1)[-1]


def commands_of(argv: Sequence[str]) -> list[list[str]] | None:
    """The commands a call runs: itself, or the parts of its plain script; None if not plain."""
    script = shell_script(argv)
    if script is None:
        return [list(argv)] if argv else None
    return plain_commands(script)


def plain_commands(script: str) -> list[list[str]] | None:
    """The commands of a plain script in order; None when it is not plain."""
    parts = plain_parts(script)
    return None if parts is None else [list(part.words) for part in parts]


def plain_parts(script: str) -> list[Part] | None:
    """The same with the operator in front of each command."""
    parts = _understood(script).parts
    return None if parts is None else list(parts)


def command_with_input(argv: Sequence[str]) -> list[str] | None:
    """The one command of a script that only feeds it a text (`python3 - <<'END'`); None for others.

    A text in which the shell would replace anything makes the answer None, too.
    """
    script = shell_script(argv)
    fed = None if script is None else _understood(script).fed
    return None if fed is None else list(fed)


def mentioned_commands(argv: Sequence[str]) -> list[list[str]] | None:
    """Every command in a script, however it is wrapped, as far as its words stand there literally.

    For judging more strictly only: a shell may come to run others. Scripts given to shells inside
    it are looked into as well, so deep. None when there is no reading one, or they are too many.
    """
    found: list[list[str]] = []
    scripts = 0
    waiting = [(list(argv), 0)]
    while waiting:
        words, depth = waiting.pop()
        if depth > _DEEPEST_SHELL:
            continue
        for script in _scripts_given(words):
            scripts += 1
            if scripts > _MOST_SCRIPTS:
                return None
            commands = (_understood if depth == 0 else _understanding)(script).mentioned
            if commands is None:
                return None
            found.extend(commands)
            waiting.extend((command, depth + 1) for command in commands)
    return found


class _Understanding(NamedTuple):
    """What one reading of a script comes to. Not to be changed."""

    parts: Sequence[Part] | None = None
    fed: Sequence[str] | None = None
    mentioned: Sequence[list[str]] | None = None


def _understood(script: str) -> _Understanding:
    """Kept for a while: the same script is asked about by whoever shows, judges and runs it."""
    if len(script) > LONGEST_SCRIPT_BYTES:
        return _Understanding()  # not worth keeping
    return _kept_understanding(script)


def _understanding(script: str) -> _Understanding:
    try:
        read = read_script(script)
    except Unreadable:
        return _Understanding()
    try:
        parts = _parts(read)
    except _NotPlain:
        return _Understanding(fed=_fed(read), mentioned=list(_literal_commands(read)))
    return _Understanding(parts=parts, mentioned=[part.words for part in parts])


_kept_understanding = lru_cache(maxsize=4)(_understanding)


def _fed(script: Script) -> list[str] | None:
    try:
        return None if script.root.has_error else _fed_command(script)
    except _NotPlain:
        return None


def _scripts_given(words: Sequence[str]) -> Iterator[str]:
    """The scripts a command gives to shells, whatever options they have and whoever starts them."""
    for at, word in enumerate(words):
        if _bare(word) not in _ANY_SHELL:
            continue
        place = at + 1
        last = min(len(words), place + _MOST_OPTIONS)
        while place < last and words[place].startswith(("-", "+")):
            option = words[place]
            place += 2 if option in _OPTIONS_WITH_A_WORD else 1
            if option.startswith("-") and not option.startswith("--") and "c" in option:
                yield from words[place : place + 1]
                break


class _NotPlain(Exception):
    """The script needs a shell to be understood."""


_BLANKS = b" \t"
_BLANKS_AND_BREAKS = b" \t\n"


def _parts(script: Script) -> list[Part]:
    if script.root.has_error:
        raise _NotPlain
    parts: list[Part] = []
    operator: Operator = ""
    at = 0
    waiting = [script.root]
    while waiting:
        node = waiting.pop()
        if node.type in _SEQUENCES:
            waiting.extend(reversed(node.children))
            continue
        _check_gap(script, at, node.start_byte, _BLANKS_AND_BREAKS)
        at = node.end_byte
        if node.type == "command":
            parts.append(Part(operator, _words(script, node)))
            operator = ";"
        elif node.type in _OPERATORS:
            operator = _OPERATORS[node.type]
        else:
            raise _NotPlain
    if not parts:
        raise _NotPlain
    _check_gap(script, at, len(script.source), _BLANKS_AND_BREAKS)
    return parts


def _words(script: Script, command: Node) -> list[str]:
    words: list[str] = []
    at = command.start_byte
    for child in command.children:
        if words:
            _check_gap(script, at, child.start_byte, _BLANKS)
            if at == child.start_byte:
                raise _NotPlain
        at = child.end_byte
        is_name = child.type == "command_name"
        if is_name == bool(words):  # the name comes first, with nothing like an assignment before
            raise _NotPlain
        words.append(_word(script, child.children[0] if is_name else child))
    if words[0] in _RESERVED:
        raise _NotPlain
    return words


def _word(script: Script, node: Node) -> str:
    # By kind first: the text of what is no word can be most of the script, at every depth of it.
    match node.type:
        case "word" | "number":
            return _checked(script, node, _EXPANDED_IN_WORDS)
        case "raw_string":
            return _checked(script, node, _NOTHING)[1:-1]
        case "string" if all(child.type in _OF_PLAIN_QUOTES for child in node.children):
            return _checked(script, node, _EXPANDED_IN_QUOTES)[1:-1]
        case "concatenation" if _is_braces(script, node):
            return "{}"
        case "concatenation":
            at = node.start_byte
            pieces: list[str] = []
            for child in node.children:
                _check_gap(script, at, child.start_byte, b"")
                at = child.end_byte
                pieces.append(_word(script, child))
            return "".join(pieces)
        case _:
            raise _NotPlain


def _is_braces(script: Script, node: Node) -> bool:
    return node.end_byte == node.start_byte + 2 and script.text_of(node) == b"{}"


def _checked(script: Script, node: Node, expanded: frozenset[str]) -> str:
    """The text of a node, if it holds no control characters and nothing a shell replaces."""
    text = script.text_of(node).decode("utf-8", "replace")
    if _CONTROLS.search(text) or not expanded.isdisjoint(text):
        raise _NotPlain
    return text


def _check_gap(script: Script, start: int, end: int, allowed: bytes) -> None:
    """Nothing but blanks between two pieces: a parser may skip what a shell does not."""
    if script.source[start:end].strip(allowed):
        raise _NotPlain


def _fed_command(script: Script) -> list[str] | None:
    match script.root.children:
        case [statement] if [child.type for child in statement.children] == _FED:
            command, heredoc = statement.children
            _check_gap(script, command.end_byte, heredoc.start_byte, _BLANKS)
            return _words(script, command) if _is_plain_text(script, heredoc) else None
        case _:
            return None


_FED = ["command", "heredoc_redirect"]
_HEREDOC = ["heredoc_start", "heredoc_body", "heredoc_end"]


def _is_plain_text(script: Script, heredoc: Node) -> bool:
    """Whether a heredoc is its text and nothing else, with nothing in it for the shell."""
    _, *pieces = heredoc.children
    if [piece.type for piece in pieces] != _HEREDOC:
        return False
    start, body = script.text_of(pieces[0]), script.text_of(pieces[1])
    return start[:1] in (b"'", b'"') or not any(special in body for special in (b"\\", b"$", b"`"))


def _literal_commands(script: Script) -> Iterator[list[str]]:
    for node in script.every_node():
        if node.type == "command":
            words = _literal_words(script, node)
            if words:
                yield words


def _literal_words(script: Script, command: Node) -> list[str]:
    words: list[str] = []
    for child in command.children:
        is_name = child.type == "command_name"
        if not words and not is_name:
            continue  # assignments and redirections in front
        try:
            words.append(_word(script, child.children[0] if is_name else child))
        except _NotPlain:
            break
    return words
