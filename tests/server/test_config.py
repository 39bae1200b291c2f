"""Configuration through the protocol: notices, reading, writing."""

from pathlib import Path

import pytest

from app_server.client.events import Notification
from app_server.demo.provider import ScriptedModel
from app_server.protocol.config import (
    CONFIG_BATCH_WRITE,
    CONFIG_READ,
    CONFIG_VALUE_WRITE,
    ConfigBatchWriteParams,
    ConfigEdit,
    ConfigReadParams,
    ConfigValueWriteParams,
)
from app_server.protocol.errors import InternalError, InvalidRequest
from app_server.protocol.notices import (
    CONFIG_WARNING,
    WARNING,
    ConfigWarningNotification,
    TextPosition,
    TextRange,
)
from app_server.protocol.thread import THREAD_START, ThreadStartParams
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from tests.server.connector import Connector
from tests.support.conversation import Conversation
from tests.support.model_server import provider_toml


async def test_a_broken_file_is_told_to_every_client_before_anything_else(
    connect: Connector, codex_home: Path
) -> None:
    (codex_home / "config.toml").write_text("model = \n")
    for name in ("first", "second"):
        client = await connect(name)
        await client.arrival()
        event = client.drain()[0]
        assert isinstance(event, Notification)
        assert event.method == CONFIG_WARNING.name
        assert isinstance(event.params, ConfigWarningNotification)
        assert event.params.summary == "Invalid configuration; using defaults."
        assert event.params.path == str(codex_home / "config.toml")


async def test_what_is_written_is_read_with_its_origin(
    connect: Connector, codex_home: Path
) -> None:
    (codex_home / "config.toml").write_text('# mine\nmodel = "a"  # the model\n')
    client = await connect()
    write = ConfigValueWriteParams(key_path="model", value="b", merge_strategy="replace")
    answer = await client.request(CONFIG_VALUE_WRITE, write)
    assert answer.status == "ok"
    read = await client.request(CONFIG_READ, ConfigReadParams())
    assert read.config["model"] == "b"
    assert read.origins["model"].version == answer.version
    assert (codex_home / "config.toml").read_text() == '# mine\nmodel = "b"  # the model\n'


async def test_a_batch_is_written_whole_or_not_at_all(connect: Connector, codex_home: Path) -> None:
    client = await connect()
    edits = [
        ConfigEdit(key_path="model", value="b", merge_strategy="replace"),
        ConfigEdit(key_path="model_provider", value=5, merge_strategy="replace"),
    ]
    with pytest.raises(InvalidRequest) as refused:
        await client.request(CONFIG_BATCH_WRITE, ConfigBatchWriteParams(edits=edits))
    assert refused.value.data == {"config_write_error_code": "configValidationError"}
    assert not (codex_home / "config.toml").exists()


async def test_settings_that_cannot_be_used_cannot_be_shown(
    connect: Connector, codex_home: Path
) -> None:
    (codex_home / "config.toml").write_text("model = 5\n")
    client = await connect()
    with pytest.raises(InternalError, match="model"):
        await client.request(CONFIG_READ, ConfigReadParams())


def web_search(model: ScriptedModel) -> list[bool]:
    """For each request, whether the model was offered a search of the web."""
    return [
        any(tool["type"] == "web_search" for tool in request.body["tools"])
        for request in model.requests
    ]


async def test_changed_settings_reach_loaded_threads_only_when_asked_for(
    connect: Connector, codex_home: Path, model: ScriptedModel
) -> None:
    provider_toml(model, home=codex_home)
    thread = await Conversation.begin(await connect(), config={"model_verbosity": "low"})
    client = thread.client
    edits = [ConfigEdit(key_path="web_search", value="disabled", merge_strategy="replace")]
    for reload in (False, True):
        await client.request(
            CONFIG_BATCH_WRITE, ConfigBatchWriteParams(edits=edits, reload_user_config=reload)
        )
        await thread.say("Go.")
        assert (await thread.ended()).status == "completed"
    assert web_search(model) == [True, False]
    assert [request.body["text"]["verbosity"] for request in model.requests] == ["low", "low"]


async def test_settings_that_cannot_be_used_do_not_reach_loaded_threads(
    connect: Connector, codex_home: Path, model: ScriptedModel
) -> None:
    provider_toml(model, home=codex_home)
    thread = await Conversation.begin(await connect())
    edits = [ConfigEdit(key_path="model_provider", value="gone", merge_strategy="replace")]
    params = ConfigBatchWriteParams(edits=edits, reload_user_config=True)
    await thread.client.request(CONFIG_BATCH_WRITE, params)
    told = (await thread.until(WARNING)).message
    assert told.startswith("The changed settings cannot be used here: Model provider `gone`")
    await thread.say("Go.")
    assert (await thread.ended()).status == "completed"


async def test_the_provider_that_is_gone_names_what_took_its_place(
    connect: Connector, codex_home: Path
) -> None:
    (codex_home / "config.toml").write_text('model_provider = "ollama-chat"\n')
    client = await connect()
    with pytest.raises(InvalidRequest, match="replace `ollama-chat` with `ollama`"):
        await client.request(THREAD_START, ThreadStartParams())


async def test_a_terminals_server_shows_the_settings_that_can_be_used(
    codex_home: Path, workspace: Path
) -> None:
    (codex_home / "config.toml").write_text('model = "mine"\n[tui]\nanimations = "no"\n')
    options = ServerOptions(codex_home=codex_home, cwd=workspace, forgives_config=True)
    async with Server(options) as server:
        connect = Connector(server, through_json=False)
        client = await connect()
        shown = (await client.request(CONFIG_READ, ConfigReadParams(cwd=str(workspace)))).config
        started = await client.request(THREAD_START, ThreadStartParams())
        await connect.leave()
    assert (shown["model"], shown["tui"]["animations"]) == ("mine", True)
    assert started.model == "mine"


async def test_a_strict_server_starts_no_thread_with_a_key_nobody_knows(
    codex_home: Path, workspace: Path
) -> None:
    (codex_home / "config.toml").write_text('modle = "mine"\n')
    options = ServerOptions(codex_home=codex_home, cwd=workspace, strict_config=True)
    async with Server(options) as server:
        connect = Connector(server, through_json=False)
        client = await connect()
        with pytest.raises(InvalidRequest, match="unknown configuration field `modle`"):
            await client.request(THREAD_START, ThreadStartParams())
        await connect.leave()


async def test_every_key_nobody_knows_is_told_to_clients_with_its_place(
    connect: Connector, codex_home: Path
) -> None:
    (codex_home / "config.toml").write_text('model = "x"\n  modle = "mine"\n')
    client = await connect()
    await client.arrival()
    event = client.drain()[0]
    assert isinstance(event, Notification)
    assert event.params == ConfigWarningNotification(
        summary="Nothing is known of the setting `modle`. Did you mean `model`?",
        path=str(codex_home / "config.toml"),
        range=TextRange(start=TextPosition(line=2, column=11), end=TextPosition(line=2, column=16)),
    )
