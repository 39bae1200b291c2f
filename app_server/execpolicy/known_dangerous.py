"""Commands that deserve a question even where others run unasked: removing files by force."""

from __future__ import annotations

from collections.abc import Sequence

from app_server.execpolicy.shell_split import commands_of, mentioned_commands, word_set

_RUN_WHAT_FOLLOWS = word_set("sudo doas env command nohup xargs")


def is_known_dangerous(argv: Sequence[str]) -> bool:
    """Whether the call, or a part of its script, is one of the known dangerous ones.

    A script that is not plain is looked through for them, wherever they stand; one that cannot be
    read counts as dangerous.
    """
    mentioned = mentioned_commands(argv)
    if mentioned is None:
        return True
    return any(map(is_dangerous_command, [*(commands_of(argv) or ()), *mentioned]))


def is_dangerous_command(words: Sequence[str]) -> bool:
    """The same for one simple command."""
    names = [word.rsplit("/", 1)[-1] for word in words]
    at = 0
    if names and names[0] in _RUN_WHAT_FOLLOWS:
        # which of its options take a word of their own is not worth knowing
        at = names.index("rm") if "rm" in names else 0
    return names[at : at + 1] == ["rm"] and any(map(_is_force, _options(words[at + 1 :])))


def _options(words: Sequence[str]) -> list[str]:
    before_dashes = words[: list(words).index("--")] if "--" in words else words
    return [word for word in before_dashes if word.startswith("-")]


def _is_force(option: str) -> bool:
    if option.startswith("--"):
        return option == "--force"
    return "f" in option
