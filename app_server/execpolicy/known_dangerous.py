"""Commands that deserve a question even where others run unasked: removing files by force."""

from __future__ import annotations

from collections.abc import Sequence

from app_server.execpolicy.shell_split import commands_of


def is_known_dangerous(argv: Sequence[str]) -> bool:
    """Whether the call, or a part of its plain script, is one of the known dangerous ones."""
    commands = commands_of(argv)
    if commands is None:
        return False
    return any(is_dangerous_command(command) for command in commands)


def is_dangerous_command(words: Sequence[str]) -> bool:
    """The same for one simple command."""
    if not words:
        return False
    name = words[0].rsplit("/", 1)[-1]
    if name == "sudo":
        return is_dangerous_command(_after_options(words[1:]))
    return name == "rm" and any(_is_force(word) for word in _options(words[1:]))


def _options(words: Sequence[str]) -> list[str]:
    before_dashes = words[: list(words).index("--")] if "--" in words else words
    return [word for word in before_dashes if word.startswith("-")]


def _is_force(option: str) -> bool:
    if option.startswith("--"):
        return option == "--force"
    return "f" in option


def _after_options(words: Sequence[str]) -> Sequence[str]:
    for position, word in enumerate(words):
        if not word.startswith("-"):
            return words[position:]
    return ()
