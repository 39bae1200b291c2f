"""A client of the scripted model."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest

from app_server.auth.manager import AuthManager
from app_server.demo.provider import ScriptedModel
from app_server.model import client as client_room
from app_server.model.client import ModelClient
from app_server.model.events import ResponseEvent
from app_server.model.http import HttpClients
from app_server.model.providers import ProviderInfo
from app_server.model.request import ModelRequest, TurnIdentity

REQUEST = ModelRequest(model="gpt-5.5", instructions="", input=[], prompt_cache_key="thread")

IDENTITY = TurnIdentity(
    thread_id="thread",
    turn_id="turn",
    window_id="thread:0",
    originator="tests",
    user_agent="tests/1",
    sandbox="none",
    turn_started_at_ms=17,
)

MakeClient: TypeAlias = Callable[..., ModelClient]


@pytest.fixture
async def http() -> AsyncIterator[HttpClients]:
    async with HttpClients({}) as clients:
        yield clients


@pytest.fixture
def delays(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits before repeated requests, recorded in place of being waited."""
    waited: list[float] = []

    async def pass_time(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(client_room, "pause", pass_time)
    return waited


@pytest.fixture
def make_client(
    model: ScriptedModel, http: HttpClients, codex_home: Path, delays: list[float]
) -> MakeClient:
    """A client of the scripted model; keywords change the provider or give an environment."""

    def make(environment: dict[str, str] | None = None, **provider: Any) -> ModelClient:
        info = ProviderInfo(id="mock", name="mock", base_url=model.url, request_max_retries=0)
        return ModelClient(
            msgspec.structs.replace(info, **provider),
            AuthManager(codex_home, environment=environment or {}),
            http,
            "installation",
            environment=environment or {},
        )

    return make


async def ask(
    client: ModelClient, request: ModelRequest = REQUEST, identity: TurnIdentity = IDENTITY
) -> list[ResponseEvent]:
    """All events of one answer."""
    async with client.stream(request, identity) as events:
        return [event async for event in events]
