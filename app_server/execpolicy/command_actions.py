"""What a command does, in the reader's terms: reads a file, lists files, searches, or something.

A script is described part by part only if every part is understood; otherwise it is one `unknown`
with its whole text. Changing folder counts for the paths after it, and what only trims the output
(`| head`, `| wc -l`) is left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from pathlib import Path

from app_server.execpolicy.known_safe import is_safe_command
from app_server.execpolicy.shell_quote import shell_join
from app_server.execpolicy.shell_split import Part, plain_parts, shell_script, word_set
from app_server.protocol.item import (
    CommandAction,
    ListFilesCommandAction,
    ReadCommandAction,
    SearchCommandAction,
    UnknownCommandAction,
)

_SED_LINES = re.compile(r"\d+(,\d+)?p")
_LINE_COUNT = re.compile(r"\+?\d+")
_UNINTERESTING = frozenset({"build", "dist", "node_modules", "src"})
_TRIMMERS = word_set("wc tr cut sort uniq tee column printf yes")

_LIST_VALUES = {
    "ls": "-I -w --block-size --format --time-style --color --quoting-style",
    "eza": "-I --ignore-glob -L --level --color --sort --time-style --time",
    "exa": "-I --ignore-glob -L --level --color --sort --time-style --time",
    "tree": "-L -P -I --charset --filelimit --sort",
    "du": "-d --max-depth -B --block-size --exclude --time-style",
}
_SEARCH_VALUES = word_set(
    "-A -B -C -m -g -t -T -j -M -d --after-context --before-context --context --max-count "
    "--glob --iglob --type --type-not --threads --max-columns --max-depth --include --exclude "
    "--exclude-dir --ignore --file-type"
)
_PAGER_VALUES = word_set("-p -P -x -y -z -j --style --theme --language -l --line-range -r")
_NL_VALUES = word_set("-b -d -f -h -i -l -n -s -v -w")
_FIND_QUERIES = word_set("-name -iname -path -ipath -wholename -regex -iregex")


def command_actions(argv: Sequence[str], cwd: Path) -> list[CommandAction]:
    """The actions of a call; a script that is not wholly understood is one `unknown`."""
    script = shell_script(argv)
    if script is None:
        parts: list[Part] | None = [Part("", list(argv))]
        text = shell_join(argv)
    else:
        parts = plain_parts(script)
        text = script
    unknown: list[CommandAction] = [UnknownCommandAction(command=text)]
    if not parts:
        return unknown
    actions = _described(_telling(parts), cwd)
    return actions or unknown


def display_command(argv: Sequence[str]) -> str:
    """The call as one line for a reader, without `bash -lc` around a script."""
    script = shell_script(argv)
    return shell_join(argv) if script is None else script


def _telling(parts: list[Part]) -> list[Part]:
    """The parts a reader wants to hear of."""
    kept = list(parts)
    while len(kept) > 1 and kept[0].words[0] == "echo" and kept[1].operator == "&&":
        kept.pop(0)
    while len(kept) > 1 and kept[-1].operator == "||" and kept[-1].words == ["true"]:
        kept.pop()
    if len(kept) > 1:
        telling = [part for part in kept if not _only_trims(part.words)]
        kept = telling or kept
    return kept


def _described(parts: list[Part], cwd: Path) -> list[CommandAction]:
    """One action per part; empty when one of them is not understood."""
    actions: list[CommandAction] = []
    folder = cwd
    for part in parts:
        if part.words[0] == "cd" and len(parts) > 1:
            if len(part.words) > 1:
                folder = Path(os.path.normpath(folder / part.words[-1]))
            continue
        if part.operator == "|" and actions and _is_line_range(part.words):
            if not isinstance(actions[-1], ReadCommandAction):
                return []
            joined = f"{actions[-1].command} | {shell_join(part.words)}"
            actions[-1] = ReadCommandAction(
                command=joined, name=actions[-1].name, path=actions[-1].path
            )
            continue
        action = _action(part.words, folder)
        if action is None:
            return []
        actions.append(action)
    return actions


def _only_trims(words: Sequence[str]) -> bool:
    """Whether a command in a pipe only shortens or shapes what comes in."""
    name, *arguments = words
    if name in _TRIMMERS:
        return True
    match name:
        case "head" | "tail":
            return not arguments or (
                arguments[0].startswith("-") and len(arguments) <= 2 and _no_file(arguments)
            )
        case "awk":
            return len(_operands(arguments, {"-F", "-v"})) == 1
        case "xargs":
            command = _after_flags(arguments)
            return not command or is_safe_command(command)
        case _:
            return False


def _no_file(arguments: Sequence[str]) -> bool:
    """Whether `head`/`tail` got a count only."""
    if len(arguments) == 1:
        return True
    return arguments[0] in ("-n", "-c") and _LINE_COUNT.fullmatch(arguments[1]) is not None


def _is_line_range(words: Sequence[str]) -> bool:
    return len(words) == 3 and words[:2] == ["sed", "-n"] and bool(_SED_LINES.fullmatch(words[2]))


def _action(words: Sequence[str], folder: Path) -> CommandAction | None:
    name = words[0].rsplit("/", 1)[-1]
    arguments = words[1:]
    file = _file_read(name, arguments)
    if file is not None:
        path = os.path.normpath(folder / file)
        return ReadCommandAction(command=shell_join(words), name=short_path(file), path=path)
    describe = _DESCRIBERS.get(name)
    return describe(words) if describe is not None else None


def _file_read(name: str, arguments: Sequence[str]) -> str | None:
    """The one file a reading command shows; None if it is no such command."""
    match name:
        case "cat":
            return _only(_operands(arguments, ()))
        case "bat" | "batcat" | "less" | "more":
            return _only(_operands(arguments, _PAGER_VALUES))
        case "nl":
            return _only(_operands(arguments, _NL_VALUES))
        case "head" | "tail":
            return _file_of_head(arguments)
        case "sed" if len(arguments) == 3 and arguments[0] == "-n":
            return arguments[2] if _SED_LINES.fullmatch(arguments[1]) else None
        case "awk":
            operands = _operands(arguments, {"-F", "-v"})
            return operands[1] if len(operands) == 2 else None
        case _:
            return None


def _file_of_head(arguments: Sequence[str]) -> str | None:
    rest = list(arguments)
    if rest and rest[0] == "-n" and len(rest) > 1:
        if not _LINE_COUNT.fullmatch(rest[1]):
            return None
        rest = rest[2:]
    elif rest and rest[0].startswith("-n"):
        if not _LINE_COUNT.fullmatch(rest[0][2:]):
            return None
        rest = rest[1:]
    return rest[0] if len(rest) == 1 and not rest[0].startswith("-") else None


def _list(words: Sequence[str]) -> CommandAction:
    values = _LIST_VALUES[words[0].rsplit("/", 1)[-1]].split()
    return _listing(words, _operands(words[1:], values))


def _find(words: Sequence[str]) -> CommandAction:
    arguments = words[1:]
    path = arguments[0] if arguments and not arguments[0].startswith(("-", "!", "(")) else None
    for option, value in pairwise(arguments):
        if option in _FIND_QUERIES:
            return SearchCommandAction(command=shell_join(words), query=value, path=_short(path))
    return ListFilesCommandAction(command=shell_join(words), path=_short(path))


def _search(words: Sequence[str]) -> CommandAction:
    if "--files" in words:
        return _listing(words, _operands(words[1:], _SEARCH_VALUES))
    return _searching(words, _operands(words[1:], _SEARCH_VALUES))


def _git(words: Sequence[str]) -> CommandAction | None:
    match words[1:2]:
        case ["grep"]:
            return _searching(words, _operands(words[2:], _SEARCH_VALUES))
        case ["ls-files"]:
            return _listing(words, _operands(words[2:], ("-x", "--exclude", "-X")))
        case _:
            return None


def _listing(words: Sequence[str], operands: Sequence[str]) -> CommandAction:
    path = _short(operands[0]) if operands else None
    return ListFilesCommandAction(command=shell_join(words), path=path)


def _searching(words: Sequence[str], operands: Sequence[str]) -> CommandAction:
    query = operands[0] if operands else None
    path = _short(operands[1]) if len(operands) > 1 else None
    return SearchCommandAction(command=shell_join(words), query=query, path=path)


def short_path(path: str) -> str:
    """The telling last part of a path."""
    trimmed = path.rstrip("/")
    parts = [part for part in trimmed.split("/") if part and part not in _UNINTERESTING]
    return parts[-1] if parts else trimmed


def _short(path: str | None) -> str | None:
    return None if path is None else short_path(path)


def _operands(arguments: Sequence[str], flags_with_value: Collection[str]) -> list[str]:
    """The arguments that are no options and no values of options."""
    operands: list[str] = []
    rest = iter(arguments)
    for word in rest:
        if word == "--":
            operands.extend(rest)
        elif word in flags_with_value:
            next(rest, None)
        elif not word.startswith("-") or word == "-":
            operands.append(word)
    return operands


def _after_flags(arguments: Sequence[str]) -> Sequence[str]:
    for position, word in enumerate(arguments):
        if not word.startswith("-"):
            return arguments[position:]
    return ()


def _only(operands: list[str]) -> str | None:
    return operands[0] if len(operands) == 1 and operands[0] != "-" else None


_SEARCHERS = word_set("rg rga grep egrep fgrep ag ack pt fd fdfind")
_DESCRIBERS: dict[str, Callable[[Sequence[str]], CommandAction | None]] = {
    **dict.fromkeys(_LIST_VALUES, _list),
    **dict.fromkeys(_SEARCHERS, _search),
    "find": _find,
    "git": _git,
}
