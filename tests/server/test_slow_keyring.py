"""A sign-in that takes long to be looked up, as in a keyring that waits to be unlocked."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app_server.auth.store import FileStore, StoredAuth
from app_server.protocol.account import ACCOUNT_READ, ApiKeyAccount, GetAccountParams
from app_server.protocol.config import CONFIG_READ, ConfigReadParams
from app_server.protocol.notices import CONFIG_WARNING
from app_server.server import cloud_demands
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.server.connector import Connector
from tests.server.signing_in import welcomed

BOUND_SECONDS = 30


class SlowPlace:
    """Answers once it is unlocked."""

    def __init__(self) -> None:
        self.unlocked = threading.Event()
        self.looks = 0

    def load(self, _store: FileStore) -> StoredAuth | None:
        self.looks += 1
        assert self.unlocked.wait(BOUND_SECONDS)
        return StoredAuth(auth_mode="apikey", api_key="sk-test")


@pytest.fixture
def slow_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowPlace]:
    place = SlowPlace()
    monkeypatch.setattr(FileStore, "load", lambda store: place.load(store))
    monkeypatch.setattr(cloud_demands, "SIGN_IN_SECONDS", 0.01)
    yield place
    place.unlocked.set()


async def test_the_settings_are_read_meanwhile_and_one_look_serves_everybody(
    connect: Connector, slow_place: SlowPlace
) -> None:
    client = await connect()
    async with asyncio.timeout(BOUND_SECONDS):
        await client.request(CONFIG_READ, ConfigReadParams())
        asking = [
            asyncio.create_task(client.request(ACCOUNT_READ, GetAccountParams())) for _ in range(3)
        ]
        await client.request(CONFIG_READ, ConfigReadParams())
        assert not any(task.done() for task in asking)
        slow_place.unlocked.set()
        answers = await asyncio.gather(*asking)
    assert [answer.account for answer in answers] == [ApiKeyAccount()] * 3
    assert slow_place.looks == 1


async def test_a_sign_in_that_is_forbidden_is_told_when_it_is_found_and_never_used(
    codex_home: Path, workspace: Path, slow_place: SlowPlace, through_json: bool
) -> None:
    (codex_home / "config.toml").write_text('forced_login_method = "chatgpt"\n')
    options = ServerOptions(codex_home=codex_home, cwd=workspace, session_source="cli")
    async with asyncio.timeout(BOUND_SECONDS), Server(options) as server:
        connector = Connector(server, through_json)
        client = await welcomed(await connector())
        asking = asyncio.create_task(client.request(ACCOUNT_READ, GetAccountParams()))
        slow_place.unlocked.set()
        assert (await asking).account is None
        while True:
            await client.arrival()
            if any(event.method == CONFIG_WARNING.name for event in client.drain()):
                break
        await connector.leave()
