"""The list of models, and its pages."""

import pytest

from app_server.protocol.errors import InvalidRequest
from app_server.protocol.model import MODEL_LIST, ModelListParams
from tests.server.connector import Connector


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
