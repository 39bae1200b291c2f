"""A client of release 0.169 is told once when something appears where nothing was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.exec_server.stdio_peer import StdioPeer


@pytest.fixture
def uri_peer(bare_peer: StdioPeer) -> StdioPeer:
    bare_peer.call("initialize", {"clientName": "codex-environment", "resumeSessionId": None})
    bare_peer.send({"method": "initialized", "params": {}})
    return bare_peer


def begin(peer: StdioPeer, number: int, *missing: Path, present: Path | None = None) -> bool:
    params = {
        "watchId": number,
        "missing": [f"file://{path}" for path in missing],
        "present": None if present is None else f"file://{present}",
    }
    watching: bool = peer.call("fs/watchMissing", params)["result"]["watching"]
    return watching


def told(peer: StdioPeer, number: int) -> list[int]:
    """The watches told up to this one."""

    def is_told(message: dict[str, Any]) -> bool:
        return message.get("method") == "fs/missingChanged"

    peer.until(lambda message: is_told(message) and message["params"]["watchId"] == number)
    return [message["params"]["watchId"] for message in peer.seen if is_told(message)]


def test_what_appears_is_told_once_by_the_newest_watch(uri_peer: StdioPeer, tmp_path: Path) -> None:
    assert begin(uri_peer, 1, tmp_path / "replaced")
    assert begin(uri_peer, 5, tmp_path / "other", tmp_path / "a/b/c")
    (tmp_path / "replaced").touch()
    (tmp_path / "a").mkdir()
    assert told(uri_peer, 5) == [5]
    assert begin(uri_peer, 6, tmp_path / "a/b/c")
    (tmp_path / "a/b").symlink_to("nowhere")
    assert told(uri_peer, 6) == [5, 6]


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file.write_text("something else"),
        lambda file: file.unlink(),
        lambda file: file.rename(file.with_name("moved")),
    ],
    ids=["written", "removed", "renamed"],
)
def test_a_file_that_is_there_can_be_watched_along(
    uri_peer: StdioPeer, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    assert begin(uri_peer, 1, tmp_path / "missing", present=file)
    change(file)
    assert told(uri_peer, 1) == [1]


def test_no_watch_begins_where_things_are_not_as_named(uri_peer: StdioPeer, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert not begin(uri_peer, 0)
    assert not begin(uri_peer, 1, tmp_path)
    assert not begin(uri_peer, 2, missing, present=missing)
    assert not begin(uri_peer, 3, *[tmp_path / str(number) for number in range(257)])
    assert begin(uri_peer, 4, missing, present=tmp_path)
    assert not begin(uri_peer, 4, missing)
    wrong = uri_peer.call("fs/watchMissing", {"watchId": -1, "missing": []})
    assert wrong["error"]["code"] == -32602
