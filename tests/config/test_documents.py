"""The page about the keys and the JSON Schema say what the program checks."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from app_server.config.json_schema import config_schema, schema_text
from app_server.config.kinds import Misfit
from app_server.config.meanings import AS_A_WHOLE, MEANINGS, UNUSED_YET
from app_server.config.page import documented_keys, with_tables
from app_server.config.schema import check

DOCS = Path(__file__).parents[2] / "docs"

UP_TO_DATE = "run `make docs`"


def test_the_stored_schema_is_up_to_date() -> None:
    assert (DOCS / "config.schema.json").read_text("utf-8") == schema_text(), UP_TO_DATE


def test_the_page_of_keys_is_up_to_date() -> None:
    page = (DOCS / "configuration.md").read_text("utf-8")
    assert page == with_tables(page), UP_TO_DATE


def test_every_key_has_a_meaning_and_every_meaning_a_key() -> None:
    keys = {key for key, _ in documented_keys()}
    assert keys == set(MEANINGS)
    assert set(UNUSED_YET) <= keys
    assert set(AS_A_WHOLE) <= keys


TABLES = [
    {},
    {"model": "x", "approval_policy": "never", "features": {"goals": True}},
    {
        "approval_policy": {
            "granular": {"sandbox_approval": True, "rules": True, "mcp_elicitations": False}
        }
    },
    {"model": 5},
    {"sandbox_mode": "open"},
    {"model_context_window": 1.5},
    {"project_doc_max_bytes": -1},
    {"mcp_oauth_callback_port": 70_000},
    {"notify": ["a", 3]},
    {"profiles": {"p": {"model": "x", "tools": {"view_image": True}}}},
    {"profiles": {"p": {"model": 5}}},
    {"projects": {"/a": {"trust_level": "trusted"}}},
    {"projects": {"/a": {"trust_level": "maybe"}}},
    {"otel": {"exporter": {"otlp-http": {"endpoint": "x", "protocol": "json"}}}},
    {"otel": {"exporter": {"otlp-http": {"endpoint": "x"}}}},
    {"otel": {"exporter": "none"}},
    {"tui": {"keymap": {"composer": {"submit": ["enter"]}}}},
    {"tui": {"keymap": {"elsewhere": {"submit": "enter"}}}},
    {"tui": {"keymap": {"composer": {"submit": 5}}}},
    {"tui": {"notifications": ["agent-turn-complete"]}},
    {"mcp_servers": {"a": {"command": "x", "startup_timeout_sec": 1.5, "env_vars": ["A"]}}},
    {"mcp_servers": {"a": {"command": "x", "startup_timeout_sec": -1}}},
    {"model_providers": {"a": {"name": "A", "auth": {"command": "x"}}}},
    {"model_providers": {"a": {"name": "A", "auth": {"timeout_ms": 5}}}},
    {"permissions": {"a": {"filesystem": {":root": "read", "/a": {"b": "write"}}}}},
    {"permissions": {"a": {"filesystem": {":root": "look"}}}},
    {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "x"}]}]}},
    {"hooks": {"Stop": [{"hooks": [{"type": "nothing"}]}]}},
    {"skills": {"config": [{"name": "x", "enabled": False}]}},
    {"skills": {"config": [{"name": "x"}]}},
    {"agents": {"max_threads": 3, "reader": {"description": "reads"}}},
]


@pytest.mark.parametrize("table", TABLES, ids=json.dumps)
def test_the_schema_and_the_program_agree_about_a_file(table: dict[str, object]) -> None:
    validator = jsonschema_rs.validator_for(config_schema())
    try:
        check(table)
    except Misfit:
        assert not validator.is_valid(table)
    else:
        assert list(validator.iter_errors(table)) == []


@pytest.mark.parametrize(
    "table", [{"modle": "x"}, {"tui": {"them": "x"}}, {"features": {"x": True}}]
)
def test_the_schema_knows_no_key_that_nobody_knows(table: dict[str, object]) -> None:
    assert not jsonschema_rs.validator_for(config_schema()).is_valid(table)
