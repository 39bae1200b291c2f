"""The list of models, and its pages."""

import json
from pathlib import Path

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.model import MODEL_LIST, ModelListParams
from tests.server.connector import Connector
from tests.support.conversation import Conversation
from tests.support.model_server import provider_toml, requests_seen


async def test_all_visible_models_come_at_once_with_one_default(connect: Connector) -> None:
    client = await connect()
    listed = await client.request(MODEL_LIST, ModelListParams())
    assert listed.next_cursor is None
    assert [model.is_default for model in listed.data].count(True) == 1
    assert not any(model.hidden for model in listed.data)
    everything = await client.request(MODEL_LIST, ModelListParams(include_hidden=True))
    assert {model.id for model in listed.data} <= {model.id for model in everything.data}


async def test_pages_together_are_the_whole_list(connect: Connector) -> None:
    client = await connect()
    whole = (await client.request(MODEL_LIST, ModelListParams())).data
    cursor, pages = None, []
    while True:
        page = await client.request(MODEL_LIST, ModelListParams(cursor=cursor, limit=2))
        pages += page.data
        cursor = page.next_cursor
        if cursor is None:
            break
    assert pages == whole


@pytest.mark.parametrize(
    ("cursor", "message"),
    [
        ("x", "invalid cursor: x"),
        ("-1", "invalid cursor: -1"),
        ("999", "cursor 999 exceeds total models"),
        ("9" * 5000, "cursor 9+ exceeds total models"),
    ],
)
async def test_a_bad_cursor_is_refused(connect: Connector, cursor: str, message: str) -> None:
    client = await connect()
    with pytest.raises(InvalidRequest, match=f"^{message}"):
        await client.request(MODEL_LIST, ModelListParams(cursor=cursor))


async def test_models_of_ones_own_are_listed_and_asked(
    connect: Connector, codex_home: Path, model: ScriptedModel
) -> None:
    own = {"slug": "mine", "base_instructions": "Be mine.", "context_window": 9_000}
    (codex_home / "models.json").write_text(json.dumps({"models": [own]}))
    settings = provider_toml(model, home=codex_home).replace('model = "', 'review_model = "')
    (codex_home / "config.toml").write_text(f'model_catalog_json = "models.json"\n{settings}')
    client = await connect()
    listed = (await client.request(MODEL_LIST, ModelListParams())).data
    assert [(one.id, one.is_default) for one in listed] == [("mine", True)]
    thread = await Conversation.begin(client)
    await thread.say("Hi.")
    assert (await thread.ended()).status == "completed"
    (asked,) = await requests_seen(model, 1)
    assert (asked.body["model"], asked.body["instructions"]) == ("mine", "Be mine.")
