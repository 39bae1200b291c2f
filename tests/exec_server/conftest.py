"""A service per test."""

from collections.abc import Iterator

import pytest

from tests.exec_server.stdio_peer import StdioPeer


@pytest.fixture
def bare_peer() -> Iterator[StdioPeer]:
    """A service that nobody has shaken hands with."""
    with StdioPeer() as peer:
        yield peer


@pytest.fixture
def peer(bare_peer: StdioPeer) -> StdioPeer:
    """A service ready for commands."""
    return bare_peer.handshake()
