"""Editing the draft in the user's own editor."""

import os
import shlex
import subprocess
import tempfile


class NoEditor(Exception):
    """Neither $VISUAL nor $EDITOR is set, or it could not be started."""


def editor_command() -> list[str]:
    """The user's editor as words."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise NoEditor(f"$VISUAL or $EDITOR cannot be read: {error}.") from error
    if not words:
        raise NoEditor("Set $VISUAL or $EDITOR to edit the message elsewhere.")
    return words


def edit(text: str, command: list[str]) -> str:
    """Let the user edit `text`; blocks until the editor has ended. The terminal must be free."""
    descriptor, path = tempfile.mkstemp(prefix="codex-message-", suffix=".md")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        try:
            status = subprocess.run([*command, path], check=False).returncode
        except OSError as error:
            raise NoEditor(f"{command[0]} could not be started: {error.strerror}.") from error
        if status != 0:
            raise NoEditor(f"{command[0]} ended with status {status}; the message is unchanged.")
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\n")
    finally:
        os.unlink(path)
