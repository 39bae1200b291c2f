"""Running git for facts: bounded, without prompts, without the repository's own programs."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

TIMEOUT_SECONDS = 5.0
"""Longer than any of these questions takes on a healthy disk."""

_QUIET = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


async def git(
    cwd: Path, *arguments: str, ok: Sequence[int] = (0,), timeout_seconds: float = TIMEOUT_SECONDS
) -> str | None:
    """What a git command prints; None when it fails, takes too long or git is not there."""
    try:
        process = await asyncio.create_subprocess_exec(
            "git",
            *_QUIET,
            *arguments,
            cwd=cwd,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(timeout_seconds):
            output, _ = await process.communicate()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            # Its helpers as well: one that kept the pipe open would be waited for.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return output.decode("utf-8", "replace") if process.returncode in ok else None
