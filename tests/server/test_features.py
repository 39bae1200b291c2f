"""Features through the protocol: the list, and switching some of them."""

from pathlib import Path

import pytest

from app_server.config.features import ON_BY_DEFAULT, STAGES
from app_server.protocol.config import CONFIG_READ, ConfigReadParams
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.features import (
    EXPERIMENTAL_FEATURE_ENABLEMENT_SET,
    EXPERIMENTAL_FEATURE_LIST,
    ExperimentalFeature,
    ExperimentalFeatureEnablementSetParams,
    ExperimentalFeatureListParams,
)
from tests.server.connector import Connector


async def test_the_list_has_every_feature_and_words_for_those_one_may_try(
    connect: Connector, codex_home: Path
) -> None:
    (codex_home / "config.toml").write_text("[features]\ngoals = true\n")
    client = await connect()
    answer = await client.request(EXPERIMENTAL_FEATURE_LIST, ExperimentalFeatureListParams())
    listed = {feature.name: feature for feature in answer.data}
    assert (set(listed), answer.next_cursor) == (set(STAGES), None)
    assert listed["goals"] == ExperimentalFeature(
        name="goals", stage="underDevelopment", enabled=True, default_enabled=False
    )
    assert listed["apps"] == ExperimentalFeature(
        name="apps", stage="stable", enabled=True, default_enabled=True
    )
    tried = {name for name, feature in listed.items() if feature.stage == "beta"}
    assert tried == {name for name, feature in listed.items() if feature.display_name}
    assert {name for name in listed if listed[name].default_enabled} == ON_BY_DEFAULT


async def test_the_list_comes_in_pages(connect: Connector) -> None:
    client = await connect()
    names: list[str] = []
    cursor: str | None = None
    while True:
        params = ExperimentalFeatureListParams(limit=30, cursor=cursor)
        answer = await client.request(EXPERIMENTAL_FEATURE_LIST, params)
        names += [feature.name for feature in answer.data]
        cursor = answer.next_cursor
        if cursor is None:
            break
    assert sorted(names) == sorted(STAGES)
    for cursor, refusal in (
        ("x", "invalid cursor: x"),
        ("900", f"cursor 900 exceeds total feature flags {len(STAGES)}"),
    ):
        with pytest.raises(InvalidRequest, match=refusal):
            await client.request(
                EXPERIMENTAL_FEATURE_LIST, ExperimentalFeatureListParams(cursor=cursor)
            )


async def test_a_switch_of_a_client_holds_for_everybody_below_what_a_file_says(
    connect: Connector, codex_home: Path
) -> None:
    (codex_home / "config.toml").write_text("[features]\ntool_search = false\n")
    client = await connect()
    switches = {"memories": True, "tool_search": True, "apps": False}
    answer = await client.request(
        EXPERIMENTAL_FEATURE_ENABLEMENT_SET,
        ExperimentalFeatureEnablementSetParams(enablement=switches),
    )
    assert answer.enablement == switches
    other = await connect("other")
    config = (await other.request(CONFIG_READ, ConfigReadParams())).config
    shown = config["features"]
    assert (shown["memories"], shown["tool_search"], shown["apps"]) == (True, False, False)
    listed = await other.request(EXPERIMENTAL_FEATURE_LIST, ExperimentalFeatureListParams())
    assert next(entry for entry in listed.data if entry.name == "memories").enabled


REFUSED = [
    ({"zzz": True}, "invalid feature enablement `zzz`"),
    (
        {"connectors": True},
        "invalid feature enablement `connectors`: use canonical feature key `apps`",
    ),
    (
        {"memories": True, "goals": True},
        "unsupported feature enablement `goals`: currently supported features are apps, memories, "
        "plugins, remote_control, tool_search, tool_suggest, tool_call_mcp_elicitation",
    ),
]


@pytest.mark.parametrize(("switches", "message"), REFUSED)
async def test_what_cannot_be_switched_is_refused_and_nothing_is_switched(
    connect: Connector, switches: dict[str, bool], message: str
) -> None:
    client = await connect()
    with pytest.raises(InvalidRequest) as refused:
        await client.request(
            EXPERIMENTAL_FEATURE_ENABLEMENT_SET,
            ExperimentalFeatureEnablementSetParams(enablement=switches),
        )
    assert refused.value.message == message
    config = (await client.request(CONFIG_READ, ConfigReadParams())).config
    assert config["features"]["memories"] is False
