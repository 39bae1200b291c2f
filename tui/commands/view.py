"""Commands that show something: the working tree's diff, help, the last answer's copy."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from app_server.protocol.errors import RpcError
from tui.commands.git import git
from tui.keymap import KEYS
from tui.state.actions import CopyLastAnswer, Show
from tui.state.cells import CardCell, PatchCell, PatchedFile

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen

_DIFF = ("diff", "--no-ext-diff", "--no-textconv")
"""A repository's settings name no program that is run for its diff."""
NEW_FILES_SHOWN = 50
AT_ONCE = 4
"""How many new files are read at a time, each by a process of its own."""


def diff(chat: "ChatScreen", arguments: str) -> None:
    chat.run_worker(_show_diff(chat))


def copy(chat: "ChatScreen", arguments: str) -> None:
    chat.act(CopyLastAnswer())


def mention(chat: "ChatScreen", arguments: str) -> None:
    chat.composer.type_ahead("@")


def show_help(chat: "ChatScreen", arguments: str) -> None:
    from tui.commands.slash import COMMANDS

    rows = [(f"/{command.name}", command.help) for command in COMMANDS]
    rows.append(("", ""))
    rows += [
        (chat.app.keymap.shown(name) or "(no key)", key.help)
        for name, key in KEYS.items()
        if name.split(".")[0] in ("global", "chat", "composer") or name == "editor.newline"
    ]
    chat.act(Show(CardCell(id="", title="Commands and keys", rows=tuple(rows))))


async def _show_diff(chat: "ChatScreen") -> None:
    try:
        inside = await git(chat, "rev-parse", "--is-inside-work-tree")
        if inside is None:
            chat.say("info", "This folder is not in a git repository.")
            return
        text = await git(chat, *_DIFF, "HEAD") or await git(chat, *_DIFF) or ""
        untracked = await git(chat, "ls-files", "--others", "--exclude-standard", "-z") or ""
        names = [name for name in untracked.split("\0") if name]
        text += await _new_files(chat, names[:NEW_FILES_SHOWN])
    except RpcError as error:
        chat.say("error", f"The changes could not be read: {error.message}")
        return
    left_out = len(names) - NEW_FILES_SHOWN
    if left_out > 0:
        text += f"\n… and {left_out} more new files\n"
    if not text.strip():
        chat.say("info", "Nothing has changed in the working tree.")
        return
    files = changed_files(text)
    chat.app.open_diff(PatchCell(id="", files=files, status="ok"))


async def _new_files(chat: "ChatScreen", names: Sequence[str]) -> str:
    """The content of files git does not know yet, in order."""
    words = (*_DIFF, "--no-index", "--", "/dev/null")
    text = ""
    for start in range(0, len(names), AT_ONCE):
        asked = [git(chat, *words, name, differs=True) for name in names[start : start + AT_ONCE]]
        text += "".join(shown or "" for shown in await asyncio.gather(*asked))
    return text


def changed_files(diff_text: str) -> tuple[PatchedFile, ...]:
    """What git printed, one value a file; a file that was moved has both its names."""
    files = []
    for part in ("\n" + diff_text).split("\ndiff --git ")[1:]:
        head, found, body = part.partition("\n@@")
        old, new, moved = _names(head)
        kind: Literal["add", "delete", "update"] = "update"
        if "\nnew file mode" in head:
            kind = "add"
        elif "\ndeleted file mode" in head:
            kind = "delete"
        hunks = "@@" + body if found else ""
        if kind != "update":
            hunks = _content(hunks)
        files.append(
            PatchedFile(path=old if kind != "add" else new, kind=kind, diff=hunks, move_path=moved)
        )
    return tuple(files)


def _names(head: str) -> tuple[str, str, str | None]:
    """Old name, new name, and the new one again where the file was moved."""
    first, *lines = head.split("\n")
    old = new = ""
    for line in lines:
        if line.startswith("--- a/"):
            old = line[6:].rstrip("\t")
        elif line.startswith("+++ b/"):
            new = line[6:].rstrip("\t")
        elif line.startswith("rename from "):
            old = line[12:]
        elif line.startswith("rename to "):
            new = line[10:]
    if not old and not new:
        half = first[: len(first) // 2].strip()
        old = new = half.removeprefix("a/")
    old, new = old or new, new or old
    return old, new, new if new != old else None


def _content(hunks: str) -> str:
    """The whole file of an addition or deletion, without the signs."""
    lines = hunks.split("\n")[1:]
    return "\n".join(line[1:] for line in lines if line[:1] in "+- " and line)
