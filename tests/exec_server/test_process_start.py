"""Starting processes: what they are given, and what is refused."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.exec_server.stdio_peer import StdioPeer, encode


def test_a_process_runs_with_just_the_environment_and_folder_it_was_given(
    peer: StdioPeer, tmp_path: Path
) -> None:
    peer.start("a", "/usr/bin/env", cwd=str(tmp_path), env={"ONLY": "this"})
    assert peer.exited("a") == {"processId": "a", "exitCode": 0}
    assert peer.output("a") == b"ONLY=this\n"
    peer.start("b", "/bin/pwd", "-P", cwd=str(tmp_path))
    peer.exited("b")
    assert peer.output("b").decode().strip() == str(tmp_path.resolve())


def test_output_and_errors_are_apart_and_numbered(peer: StdioPeer) -> None:
    peer.shell("a", "echo out; echo err >&2; exit 3")
    assert peer.exited("a")["exitCode"] == 3
    assert peer.output("a", "stdout") == b"out\n"
    assert peer.output("a", "stderr") == b"err\n"
    numbers = [
        message["params"]["seq"]
        for message in peer.seen
        if message.get("method") == "process/output"
    ]
    assert numbers == [1, 2]


def test_everything_a_short_process_wrote_comes_before_its_exit(peer: StdioPeer) -> None:
    for number in range(40):
        process_id = f"p{number}"
        peer.shell(process_id, "echo hello", tty=number % 2 == 0)
        peer.exited(process_id)
        assert peer.output(process_id).strip() == b"hello"


def test_stdin_of_a_pipe_process_is_closed(peer: StdioPeer) -> None:
    peer.start("a", "/bin/cat")
    assert peer.exited("a")["exitCode"] == 0
    peer.start("b", "/bin/sleep", "60")
    assert peer.call("process/write", {"processId": "b", "chunk": encode(b"x")})["error"] == {
        "code": -32600,
        "message": "stdin is closed for process b",
    }


def test_a_terminal_process_is_typed_to_and_echoes(peer: StdioPeer) -> None:
    line = "echo ready; while IFS= read -r line; do echo echo:$line; done"
    peer.shell("a", line, tty=True)
    peer.output_until("a", b"ready")
    written = peer.call("process/write", {"processId": "a", "chunk": encode(b"hello\n")})
    assert written["result"] == {"accepted": True}
    peer.output_until("a", b"echo:hello\r\n")
    assert {message["params"]["stream"] for message in peer.seen if "stream" in str(message)} == {
        "pty"
    }
    assert peer.call("process/terminate", {"processId": "a"})["result"] == {"running": True}
    peer.exited("a")


def test_a_terminal_has_24_rows_and_80_columns_and_belongs_to_its_process(peer: StdioPeer) -> None:
    peer.shell("a", "stty size; read line < /dev/tty; echo $line", tty=True)
    peer.output_until("a", b"24 80")
    peer.call("process/write", {"processId": "a", "chunk": encode(b"from the tty\n")})
    assert peer.exited("a")["exitCode"] == 0


def test_control_c_interrupts_what_runs_in_the_terminal(peer: StdioPeer) -> None:
    peer.shell(
        "a", "trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 1; done", tty=True
    )
    peer.output_until("a", b"ready")
    peer.call("process/write", {"processId": "a", "chunk": encode(b"\x03")})
    assert peer.exited("a")["exitCode"] == 7
    assert b"caught" in peer.output("a")


def test_arg0_is_what_the_program_sees_as_its_name(peer: StdioPeer) -> None:
    peer.start("a", "/bin/sh", "-c", "echo $0", arg0="other-name")
    peer.exited("a")
    assert peer.output("a") == b"other-name\n"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"argv": []}, (-32602, "argv must not be empty")),
        ({"argv": ["no-such-program"]}, (-32603, "No such file or directory (os error 2)")),
        ({"cwd": "/no/such/folder"}, (-32603, "No such file or directory (os error 2)")),
        ({"argv": ["/etc/passwd"]}, (-32603, "Permission denied (os error 13)")),
        ({"cwd": "relative"}, (-32602, "cwd must be absolute: relative")),
        ({"argv": ["a\0b"]}, (-32602, "a string must not contain a NUL character")),
        ({"env": {"A": "\0"}}, (-32602, "a string must not contain a NUL character")),
        ({"env": {"A=B": "x"}}, (-32602, "a variable's name must not be empty or contain `=`")),
    ],
)
def test_what_cannot_be_started_is_refused_and_its_id_stays_free(
    peer: StdioPeer, change: dict[str, Any], error: tuple[int, str]
) -> None:
    refused = (
        peer.start("a", **({"argv": ["true"]} | change))
        if "argv" in change
        else peer.start("a", "true", **change)
    )
    assert (refused["error"]["code"], refused["error"]["message"]) == error
    assert "result" in peer.start("a", "true")


def test_an_id_stays_taken_after_the_exit(peer: StdioPeer) -> None:
    peer.start("a", "true")
    peer.exited("a")
    assert peer.start("a", "true")["error"] == {
        "code": -32600,
        "message": "process ID already exists",
    }


def test_a_process_gets_no_descriptors_but_its_three_streams(peer: StdioPeer) -> None:
    peer.shell("long", "exec sleep 60")
    peer.start("a", "/bin/ls", "/proc/self/fd")
    peer.exited("a")
    # The fourth is the one `ls` reads the folder with.
    assert peer.output("a").split() == [b"0", b"1", b"2", b"3"]


def test_a_process_starts_with_ordinary_signals(peer: StdioPeer) -> None:
    peer.shell("a", "grep -E '^Sig(Blk|Ign)' /proc/self/status")
    peer.exited("a")
    _, blocked, _, ignored = peer.output("a").split()
    belongs_to_the_c_library = 1 << 31 | 1 << 32  # signals 32 and 33, which nobody else may set
    assert int(blocked, 16) == 0
    assert int(ignored, 16) & ~belongs_to_the_c_library == 0


def test_inherited_data_is_readable_at_its_number(peer: StdioPeer) -> None:
    data = {"3": encode(b"three"), "9": encode(b"nine" * 1000)}
    peer.start("a", "/bin/sh", "-c", "cat <&3; cat <&9", inheritedData=data)
    peer.exited("a")
    assert peer.output("a") == b"three" + b"nine" * 1000


def test_a_mount_point_exists_while_it_is_needed_and_no_longer(
    peer: StdioPeer, tmp_path: Path
) -> None:
    made, own = tmp_path / "made", tmp_path / "own"
    own.mkdir()
    points = [str(made), str(own)]
    peer.shell("a", "read line; ls -d made own", cwd=str(tmp_path), tty=True, mountPoints=points)
    peer.shell("b", "ls -d made", cwd=str(tmp_path), mountPoints=points)
    assert peer.exited("b")["exitCode"] == 0
    assert made.is_dir(), "the other command still needs it"
    peer.call("process/write", {"processId": "a", "chunk": encode(b"go\n")})
    assert peer.exited("a")["exitCode"] == 0
    assert not made.exists()
    assert own.is_dir()


def test_a_mount_point_somebody_filled_is_left(peer: StdioPeer, tmp_path: Path) -> None:
    made = tmp_path / "made"
    peer.shell("a", "touch made/file", cwd=str(tmp_path), mountPoints=[str(made)])
    assert peer.exited("a")["exitCode"] == 0
    assert os.listdir(made) == ["file"]
