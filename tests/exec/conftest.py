"""The local environment, and the terminals of a thread on it."""

from collections.abc import AsyncIterator

import pytest

from app_server.exec.local import LocalEnvironment
from app_server.exec.sessions import TerminalSessions


@pytest.fixture
async def environment() -> AsyncIterator[LocalEnvironment]:
    local = LocalEnvironment()
    yield local
    await local.close()


@pytest.fixture
async def sessions(environment: LocalEnvironment) -> AsyncIterator[TerminalSessions]:
    async with TerminalSessions(environment) as sessions:
        yield sessions
