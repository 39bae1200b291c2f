"""Opening a page in the user's browser, quietly: whatever is started never writes here."""

import asyncio
import os
import shlex
import shutil
import sys

WAIT_SECONDS = 5.0
"""A starter that has not come back by then is the browser itself, and stays."""

_STARTERS = (("xdg-open",), ("wslview",), ("gio", "open"), ("x-www-browser",))


async def open_page(url: str) -> bool:
    """Whether a program took the address."""
    for command in _commands():
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                url,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            continue
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                if await process.wait() == 0:
                    return True
        except TimeoutError:
            return True
    return False


def _commands() -> list[tuple[str, ...]]:
    """The user's own choice first, then what desktops have."""
    chosen = [shlex.split(one) for one in os.environ.get("BROWSER", "").split(":") if one]
    known = (("open",),) if sys.platform == "darwin" else _STARTERS
    commands = [*(tuple(one) for one in chosen), *known]
    return [command for command in commands if command and shutil.which(command[0])]
