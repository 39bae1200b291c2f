"""The process service starts while the model thinks, so that the first command need not wait."""

import asyncio
from pathlib import Path

from app_server.demo.provider import ScriptedModel
from app_server.exec.local import LocalEnvironment
from app_server.server.server import Server
from tests.server.conftest import Connector
from tests.support.conversation import PROCESS_WAIT_SECONDS, Conversation
from tests.support.model_server import hangs, provider_toml


async def test_a_turn_starts_the_process_service_before_its_first_command(
    model: ScriptedModel, codex_home: Path, connect: Connector, server: Server
) -> None:
    provider_toml(model, home=codex_home)
    model.script(hangs())
    client = await connect()
    thread = await Conversation.begin(client, approval_policy="never", sandbox="danger-full-access")
    environment = await server.services.environment()
    assert isinstance(environment, LocalEnvironment)
    assert environment.service_pid is None
    turn_id = await thread.say("hello")
    async with asyncio.timeout(PROCESS_WAIT_SECONDS):
        while environment.service_pid is None:  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.005)
    await thread.interrupt(turn_id)
