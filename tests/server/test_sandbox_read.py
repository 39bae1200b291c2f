"""Clients are told what confines commands, and what would do it better."""

import pytest

from app_server.protocol.sandbox_read import SANDBOX_READ, SandboxReadParams, SandboxReadResponse
from app_server.sandbox import probe
from tests.server.connector import Connector


async def test_the_mechanism_of_this_machine_is_told(connect: Connector) -> None:
    client = await connect()
    found = probe.facts()
    told = await client.request(SANDBOX_READ, SandboxReadParams())
    assert (told.mechanism, set(told.keeps)) == (found.mechanism, found.keeps)


async def test_what_is_missing_is_told_with_its_remedy(
    connect: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = probe.SandboxFacts(
        mechanism="landlock",
        keeps=frozenset(("read-only",)),
        missing="bubblewrap is not installed",
        remedy="Install it.",
    )
    monkeypatch.setattr(probe, "facts", lambda: facts)
    told = await (await connect()).request(SANDBOX_READ, SandboxReadParams())
    assert told == SandboxReadResponse(
        mechanism="landlock",
        keeps=["read-only"],
        missing="bubblewrap is not installed",
        remedy="Install it.",
    )
