"""Tokens that a program of the user's prints: `[model_providers.ID.auth]`.

A token is kept for as long as the table says and asked for anew after a refusal. Everybody who
needs it meanwhile waits for the same run. The program gets no terminal and no input; what it prints
is never logged or shown.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from app_server import clock
from app_server.auth.credentials import is_usable
from app_server.auth.errors import TokenCommandFailed, UnusableKey

MAX_TOKEN_BYTES = 64 * 1024

END_SECONDS = 1.0
"""For a program that was killed to be gone."""


class TokenCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What to run, and for how long its token is good."""

    command: str
    args: tuple[str, ...] = ()
    timeout_seconds: float = 5.0
    refresh_interval_seconds: float = 300.0
    """0: until the token is refused."""
    cwd: str | None = None


class CommandTokens:
    """The tokens of all such programs."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._kept: dict[TokenCommand, tuple[str, float]] = {}
        self._running: dict[TokenCommand, asyncio.Lock] = {}

    async def token(self, command: TokenCommand) -> str:
        """Raises `TokenCommandFailed` or `UnusableKey`."""
        async with self._running.setdefault(command, asyncio.Lock()):
            token, since = self._kept.get(command, ("", 0.0))
            age = clock.monotonic() - since
            interval = command.refresh_interval_seconds
            if token and (interval == 0 or age < interval):
                return token
            token = await self._run(command)
            self._kept[command] = (token, clock.monotonic())
            return token

    def forget(self, command: TokenCommand) -> None:
        """It was refused: the next one who needs a token runs the program."""
        self._kept.pop(command, None)

    async def _run(self, command: TokenCommand) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                command.command,
                *command.args,
                cwd=command.cwd,
                env=dict(self._environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise TokenCommandFailed(command.command, reason) from error
        assert process.stdout is not None
        try:
            async with asyncio.timeout(command.timeout_seconds):
                printed = await _to_the_end(process.stdout)
                status = await process.wait()
        except TimeoutError:
            late = f"it did not end within {command.timeout_seconds:g} seconds"
            raise TokenCommandFailed(command.command, late) from None
        finally:
            # what it has started goes, too, and with it the last hold on the pipe
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            with suppress(TimeoutError):
                async with asyncio.timeout(END_SECONDS):
                    await process.communicate()
        if status != 0:
            raise TokenCommandFailed(command.command, f"it ended with status {status}")
        token = printed.decode("utf-8", "replace").strip()
        if not token:
            raise TokenCommandFailed(command.command, "it printed no token")
        if not is_usable(token):
            raise UnusableKey(f"`{command.command}`")
        return token


async def _to_the_end(stdout: asyncio.StreamReader) -> bytes:
    """What is printed, up to the most a token may be long."""
    try:
        return await stdout.readexactly(MAX_TOKEN_BYTES)
    except asyncio.IncompleteReadError as ended:
        return ended.partial


class CommandRecovery:
    """The way of one refused request to a new token: run the program once more."""

    def __init__(self, tokens: CommandTokens, command: TokenCommand) -> None:
        self._tokens = tokens
        self._command = command
        self._is_tried = False

    async def improve(self) -> bool:
        """Forget the refused token; False the second time."""
        if self._is_tried:
            return False
        self._is_tried = True
        self._tokens.forget(self._command)
        return True
