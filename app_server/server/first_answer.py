"""Answers a client that has already asked who we are, before the event loop is loaded.

Loading asyncio and msgspec takes longer than all that comes before. A program that starts us writes
its `initialize` at once; where that line is there, whole and as it must be, it is answered with the
standard library alone. Anything else is left to the server, which gets all that was read, goes
through the handshake itself, and does not send that one answer again.
"""

from __future__ import annotations

import json
import os
import select
from pathlib import Path
from typing import Any, NamedTuple

from app_server.server.identity import (
    DEFAULT_ORIGINATOR,
    Identity,
    is_header_value,
    platform_family,
    platform_os,
)

READ_BYTES = 64 * 1024
LARGEST_ID = 2**63 - 1


class Begun(NamedTuple):
    """A conversation whose first words were heard before the server was there."""

    said: bytes = b""
    """What was read."""
    answered: int | str | None = None
    """The call in it whose answer has left."""


def answer_at_once(readable: int, writable: int, codex_home: Path) -> Begun:
    """Answer the handshake if it waits on `readable`; never waits itself."""
    try:
        is_waiting = bool(select.select([readable], [], [], 0)[0])
        said = os.read(readable, READ_BYTES) if is_waiting else b""
    except OSError:
        return Begun()  # the server will meet the same and tell it
    line, line_end, _ = said.partition(b"\n")
    asked = _handshake(line) if line_end else None
    if asked is None:
        return Begun(said)
    identity = Identity(DEFAULT_ORIGINATOR)
    identity.introduce(asked.name, asked.version)
    result = {
        "userAgent": identity.user_agent,
        "codexHome": str(codex_home),
        "platformFamily": platform_family(),
        "platformOs": platform_os(),
    }
    answer = {"id": asked.id, "result": result}
    try:
        text = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        if len(text) > select.PIPE_BUF:
            return Begun(said)  # a pipe might not take it at once
        os.write(writable, text)
    except (OSError, UnicodeEncodeError):
        return Begun(said)
    return Begun(said, asked.id)


class _Handshake(NamedTuple):
    id: int | str
    name: str
    version: str


def _handshake(line: bytes) -> _Handshake | None:
    """The line as a handshake that the server is sure to accept; None for any other."""
    try:
        call = json.loads(
            line.decode(), parse_constant=_refuse, object_pairs_hook=_without_repetition
        )
    except (ValueError, RecursionError):
        return None
    match call:
        case {"id": int() | str() as call_id, "method": "initialize", "params": params} if (
            call.keys() <= {"id", "method", "params", "jsonrpc"}
            and not isinstance(call_id, bool)
            and (isinstance(call_id, str) or abs(call_id) <= LARGEST_ID)
        ):
            pass
        case _:
            return None
    match params:
        case {"clientInfo": {"name": str() as name, "version": str() as version, **more}, **rest}:
            pass
        case _:
            return None
    is_plain = (
        is_header_value(name)
        and more.keys() <= {"title"}
        and isinstance(more.get("title"), str | None)
        and rest.keys() <= {"capabilities"}
        and _are_capabilities(rest.get("capabilities"))
    )
    return _Handshake(call_id, name, version) if is_plain else None


def _are_capabilities(given: Any) -> bool:
    """Other capabilities may stand beside those we know, as long as they are plain."""
    if given is None:
        return True
    if not isinstance(given, dict):
        return False
    names = given.get("optOutNotificationMethods")
    others = [value for key, value in given.items() if key != "optOutNotificationMethods"]
    return (
        isinstance(given.get("experimentalApi", False), bool)
        and isinstance(names, list | None)
        and all(isinstance(name, str) for name in names or ())
        and all(isinstance(value, bool | str | None) for value in others)
    )


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _without_repetition(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """The server looks at a repeated member each time it comes, not only the last time."""
    found = dict(members)
    if len(found) < len(members):
        raise ValueError("a member is there twice")
    return found
