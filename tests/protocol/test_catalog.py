"""The tables by wire name and the topics say the same, and lookups stay cheap."""

import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from app_server.protocol import catalog
from app_server.protocol.method import (
    ClientMethod,
    ClientNotification,
    Row,
    ServerMethod,
    ServerNotification,
)
from tests.protocol.recorded_schema import recorded

ROOT = Path(__file__).parents[2]
TABLES: dict[type, dict[str, str]] = {
    ClientMethod: catalog.CLIENT_METHODS,
    ServerMethod: catalog.SERVER_METHODS,
    ServerNotification: catalog.SERVER_NOTIFICATIONS,
    ClientNotification: catalog.CLIENT_NOTIFICATIONS,
}
BESIDES_THE_SCHEMA = {
    "getAuthStatus",
    "getConversationSummary",
    "gitDiffToRemote",
    "rawResponseItem/completed",
}


def modules() -> list[str]:
    return sorted(path.stem for path in (ROOT / "app_server/protocol").glob("[a-z]*.py"))


def declared() -> list[tuple[str, str, Row]]:
    return [
        (topic, constant, row)
        for topic in modules()
        for constant, row in vars(import_module(f"app_server.protocol.{topic}")).items()
        if isinstance(row, ClientMethod | ServerMethod | ServerNotification | ClientNotification)
    ]


def test_the_tables_hold_what_the_topics_declare_and_nothing_else() -> None:
    assert {
        kind: {row.name: topic for topic, _, row in declared() if isinstance(row, kind)}
        for kind in TABLES
    } == TABLES


def test_no_name_is_declared_twice() -> None:
    names = [(type(row), row.name) for _, _, row in declared()]
    assert len(names) == len(set(names))


def test_a_row_is_a_constant_called_after_its_wire_name() -> None:
    for _, constant, row in declared():
        assert constant == catalog.constant_name(row.name)


def test_every_recorded_method_and_notification_is_declared() -> None:
    recorded_names = {
        each["properties"]["method"]["enum"][0]
        for kind in ("ClientRequest", "ServerRequest", "ServerNotification", "ClientNotification")
        for each in recorded()["definitions"][kind]["oneOf"]
    }
    ours = {name for table in TABLES.values() for name in table}
    assert ours == recorded_names | BESIDES_THE_SCHEMA | catalog.UNLISTED_METHODS


def test_a_name_nobody_declared_has_no_row() -> None:
    assert catalog.client_method("no/such/method") is None
    assert catalog.server_notification("thread/start") is None


def test_client_methods_stand_in_the_order_the_original_lists_them() -> None:
    names = (ROOT / "snapshots/protocol/unknown_method.txt").read_text()
    listed = [name for name in catalog.CLIENT_METHODS if name not in catalog.UNLISTED_METHODS]
    assert listed == re.findall("`([^`]+)`", names)[1:]


def imported_by(statement: str) -> set[str]:
    program = f"import sys, json; before = set(sys.modules); {statement}; "
    program += "print(json.dumps(sorted(set(sys.modules) - before)))"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(json.loads(run.stdout))


def test_looking_one_name_up_imports_one_topic() -> None:
    found = imported_by(
        "from app_server.protocol.catalog import client_method; client_method('fs/readFile')"
    )
    topics = {name.rsplit(".", 1)[1] for name in found if name.startswith("app_server.protocol.")}
    assert topics == {"catalog", "method", "wire", "shared", "fs"}


@pytest.mark.parametrize("module", modules())
def test_the_protocol_imports_msgspec_and_the_standard_library_only(module: str) -> None:
    source = (ROOT / "app_server/protocol" / f"{module}.py").read_text()
    imported = set(re.findall(r"^\s*(?:from|import) ([\w.]+)", source, re.MULTILINE))
    foreign = {
        name
        for name in imported
        if name.split(".")[0] not in sys.stdlib_module_names | {"msgspec"}
        and not name.startswith("app_server.protocol")
    }
    assert foreign == set()


def test_the_schema_writer_and_error_texts_are_not_loaded_with_the_catalog() -> None:
    found = imported_by(
        "from app_server.protocol import catalog, decode, errors, experimental;"
        "catalog.client_method('thread/start')"
    )
    assert not found & {
        "app_server.protocol.schema",
        "app_server.protocol.decode_errors",
    }
