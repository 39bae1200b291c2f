"""Copying out and taking pictures in, through the desktop's own programs or the terminal.

Text is copied with OSC 52, which reaches the user's machine through ssh and tmux, and with a
desktop program where one is at hand. No library: the programs are asked one after another.
"""

import asyncio
import base64
import os
import shutil
import tempfile
from collections.abc import Sequence

WAIT_SECONDS = 5.0
"""A clipboard program that has not answered by then waits for a desktop that is not there."""
OSC52_LIMIT_BYTES = 100_000
"""Longer ones are dropped by many terminals, silently."""

_COPY = (
    ("wl-copy",),
    ("xclip", "-selection", "clipboard"),
    ("xsel", "-ib"),
    ("pbcopy",),
    ("clip.exe",),
)
_PASTE_IMAGE = (
    ("wl-paste", "--type", "image/png", "--no-newline"),
    ("xclip", "-selection", "clipboard", "-target", "image/png", "-o"),
    ("pngpaste", "-"),
)


def osc52(text: str) -> str:
    """The escape code that puts `text` on the clipboard; empty when it is too long for it."""
    encoded = base64.b64encode(text.encode(errors="replace")).decode()
    return "" if len(encoded) > OSC52_LIMIT_BYTES else in_tmux(f"\x1b]52;c;{encoded}\x07")


def in_tmux(sequence: str) -> str:
    """Wrapped so that tmux passes it on to the terminal outside."""
    if not os.environ.get("TMUX"):
        return sequence
    doubled = sequence.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{doubled}\x1b\\"


async def copy_with_program(text: str) -> bool:
    """Give `text` to the first clipboard program there is; whether one took it."""
    for command in _COPY:
        if _is_usable(command) and await _run(command, text.encode(errors="replace")) is not None:
            return True
    return False


async def image_from_clipboard() -> tuple[str | None, str]:
    """Save the picture on the clipboard to a file: its path, or None and why not."""
    asked = False
    for command in _PASTE_IMAGE:
        if not _is_usable(command):
            continue
        asked = True
        data = await _run(command)
        if data and data.startswith(b"\x89PNG"):
            descriptor, path = tempfile.mkstemp(prefix="codex-clipboard-", suffix=".png")
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            return path, ""
    if not asked:
        return (
            None,
            "this machine has no wl-paste, xclip or pngpaste; paste the file's path instead",
        )
    return None, "there is no picture on the clipboard"


def _is_usable(command: Sequence[str]) -> bool:
    name = command[0]
    if name.startswith("wl-") and not os.environ.get("WAYLAND_DISPLAY"):
        return False
    if name in ("xclip", "xsel") and not os.environ.get("DISPLAY"):
        return False
    return shutil.which(name) is not None


async def _run(command: Sequence[str], data: bytes | None = None) -> bytes | None:
    """What the program printed; None where it failed."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE if data is not None else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if data is None else asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            output, _ = await process.communicate(data)
    except (TimeoutError, asyncio.CancelledError) as ending:
        process.kill()
        await process.wait()
        if isinstance(ending, asyncio.CancelledError):
            raise
        return None
    return (output or b"") if process.returncode == 0 else None
