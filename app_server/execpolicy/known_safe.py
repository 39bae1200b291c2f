"""Commands that only look: they run unasked under every policy.

A program counts under its bare name or from a folder of the system; a program of that name lying in
the workspace does not. Where an option could make a looking command write or run something, file
name patterns among its arguments are refused too, since a file may be named like the option.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence

from app_server.execpolicy.shell_split import commands_of, program_name, word_set

_ALWAYS = word_set(
    "cat cd cut echo expr false grep head id ls nl paste pwd rev seq stat tail tr true uname "
    "wc which whoami"
)
_ALWAYS_ON_LINUX = frozenset({"numfmt", "tac"})

_FIND_ACTS = frozenset(
    {"-exec", "-execdir", "-ok", "-okdir", "-delete", "-fls", "-fprint", "-fprint0", "-fprintf"}
)
_SED_LINES = re.compile(r"\d+(,\d+)?p")
_BRANCH_LOOKS = word_set("--list -l --show-current -a --all -r --remotes -v -vv --verbose")
_GIT_ACTS = (
    "-O",
    "--open-files-in-pager",
    "--output",
    "--ext-diff",
    "--textconv",
    "--exec",
    "--upload-pack",
    "--receive-pack",
    "--show-signature",
)
"""Options of git that write a file or start a program somebody named in a file of settings."""
_GIT_NEEDS_A_PROGRAM = "%G"
"""In a format: what only the program that checks signatures can tell."""


def is_known_safe(argv: Sequence[str]) -> bool:
    """Whether the call, or every part of its plain script, is known to change nothing."""
    commands = commands_of(argv)
    return commands is not None and all(is_safe_command(command) for command in commands)


def is_safe_command(words: Sequence[str]) -> bool:
    """The same for one simple command."""
    if not words:
        return False
    name = program_name(words[0])
    if name is None:
        return False
    if name in _ALWAYS or (name in _ALWAYS_ON_LINUX and sys.platform.startswith("linux")):
        return True
    check = _CHECKED.get(name)
    arguments = words[1:]
    return check is not None and not any(map(_is_pattern, arguments)) and check(arguments)


def _is_pattern(word: str) -> bool:
    return any(character in word for character in "*?[")


def _base64(arguments: Sequence[str]) -> bool:
    return not any(
        word.startswith("--o") or (word.startswith("-") and word[1:2] != "-" and "o" in word)
        for word in arguments
    )


def _find(arguments: Sequence[str]) -> bool:
    return _FIND_ACTS.isdisjoint(arguments)


def _rg(arguments: Sequence[str]) -> bool:
    return not any(
        word.startswith(("--pre", "--hostname-bin", "--search-zip"))
        or (word.startswith("-") and word[1:2] != "-" and "z" in word)
        for word in arguments
    )


def _sed(arguments: Sequence[str]) -> bool:
    if len(arguments) not in (2, 3) or arguments[0] != "-n":
        return False
    is_file = len(arguments) == 2 or not arguments[2].startswith("-")
    return is_file and _SED_LINES.fullmatch(arguments[1]) is not None


def _git(arguments: Sequence[str]) -> bool:
    if not arguments:
        return False
    subcommand, *rest = arguments
    if any(word.startswith(_GIT_ACTS) or _GIT_NEEDS_A_PROGRAM in word for word in rest):
        return False
    if subcommand == "branch":
        return all(word in _BRANCH_LOOKS or word.startswith("--format=") for word in rest)
    return subcommand in ("status", "log", "diff", "show")


def _uniq(arguments: Sequence[str]) -> bool:
    """A second file would be written; `-` is one, and so is what follows `--`."""
    return (
        "--" not in arguments
        and sum(word == "-" or not word.startswith("-") for word in arguments) < 2
    )


_CHECKED: dict[str, Callable[[Sequence[str]], bool]] = {
    "base64": _base64,
    "find": _find,
    "git": _git,
    "rg": _rg,
    "sed": _sed,
    "uniq": _uniq,
}
