"""Commands and patches survive being stored and read again."""

import msgspec
import pytest

from app_server.agent.projection.extended import restored_item, stored_item
from app_server.protocol.item import (
    AddPatchChangeKind,
    CommandExecutionThreadItem,
    DeletePatchChangeKind,
    FileChangeThreadItem,
    FileUpdateChange,
    ListFilesCommandAction,
    ReadCommandAction,
    SearchCommandAction,
    ThreadItem,
    UnknownCommandAction,
    UpdatePatchChangeKind,
)
from app_server.storage.rollout import OtherEvent, decode_line, encode_line

RAN = CommandExecutionThreadItem(
    id="call_1",
    command="/bin/bash -lc 'cat a.txt && rg x'",
    command_actions=[
        ReadCommandAction(command="cat a.txt", name="a.txt", path="/w/a.txt"),
        ListFilesCommandAction(command="ls", path=None),
        SearchCommandAction(command="rg x", query="x", path="src"),
        UnknownCommandAction(command="make"),
    ],
    cwd="/w",
    status="failed",
    aggregated_output="out\n",
    exit_code=2,
    duration_ms=1234,
    process_id="4711",
    source="unifiedExecStartup",
)
DECLINED = CommandExecutionThreadItem(
    id="call_2",
    command="/bin/bash -lc \"echo 'x'\"",
    command_actions=[UnknownCommandAction(command="echo 'x'")],
    cwd="/w",
    status="declined",
)
PATCH = FileChangeThreadItem(
    id="p1",
    changes=[
        FileUpdateChange(
            path="/w/a.txt",
            kind=UpdatePatchChangeKind(move_path="/w/b.txt"),
            diff="@@ -1 +1 @@\n-one\n+two\n\n\nMoved to: /w/b.txt",
        ),
        FileUpdateChange(path="/w/c.txt", kind=DeletePatchChangeKind(), diff="bye\n"),
        FileUpdateChange(path="/w/n.txt", kind=AddPatchChangeKind(), diff="a\n"),
        FileUpdateChange(path="/w/u.txt", kind=UpdatePatchChangeKind(), diff="@@\n"),
    ],
    status="completed",
)


@pytest.mark.parametrize("item", [RAN, DECLINED, PATCH], ids=["ran", "declined", "patch"])
def test_an_item_read_back_from_its_line_is_the_same(item: ThreadItem) -> None:
    event = stored_item("turn", item)
    assert event is not None
    line = decode_line(encode_line(event, "2026-01-01T00:00:00.000Z"))
    assert line is not None
    assert isinstance(line.item, OtherEvent)
    assert restored_item(line.item) == ("turn", item)


def test_lines_of_the_original_are_understood() -> None:
    event = OtherEvent(
        msgspec.json.decode(
            b'{"type":"exec_command_end","call_id":"c","process_id":"7","turn_id":"t",'
            b'"command":["/bin/bash","-lc","echo hi; exit 2"],"cwd":"/w","parsed_cmd":'
            b'[{"type":"unknown","cmd":"echo hi; exit 2"}],"source":"unified_exec_startup",'
            b'"stdout":"","stderr":"","aggregated_output":"hi\\n","exit_code":2,'
            b'"duration":{"secs":0,"nanos":4937},"formatted_output":"","status":"failed"}'
        )
    )
    restored = restored_item(event)
    assert restored is not None
    turn_id, item = restored
    assert isinstance(item, CommandExecutionThreadItem)
    assert (turn_id, item.command) == ("t", "/bin/bash -lc 'echo hi; exit 2'")
    assert (item.status, item.exit_code, item.duration_ms) == ("failed", 2, 0)


def test_a_line_that_lacks_something_is_left_out() -> None:
    assert restored_item(OtherEvent(type="exec_command_end", call_id="c")) is None
    assert restored_item(OtherEvent(type="patch_apply_end", changes=[])) is None
    assert restored_item(OtherEvent(type="error")) is None
