"""With network, programs outside that would start programs for a command are not reached."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app_server.protocol.permissions import ReadOnlySandboxPolicy
from app_server.sandbox import landlock, probe
from app_server.sandbox.control_sockets import INVITATIONS
from app_server.sandbox.errors import SandboxUnavailable
from tests.sandbox.attempts import (
    REACHING_A_SERVER,
    SERVERS_LET_THROUGH,
    SERVERS_THAT_START_PROGRAMS,
    Server,
)
from tests.sandbox.stage import Stage

pytestmark = pytest.mark.sandbox

ONLINE = ReadOnlySandboxPolicy(network_access=True)


class Listening:
    """A server of the attacking user's, outside."""

    def __init__(self, stage: Stage, server: Server) -> None:
        folders = {"H": stage.outside / "home", "R": stage.outside / "runtime"}
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
        names = {
            **{name: str(path) for name, path in folders.items()},
            "O": str(stage.outside),
            "W": str(stage.workspace),
            "T": str(stage.tmp),
            "UID": str(stage.uid),
        }
        self.path = server.place.format_map(names)
        names["P"] = self.path
        self.variables = {"HOME": names["H"], "XDG_RUNTIME_DIR": names["R"]}
        for name, text in server.variables.items():
            self.variables[name] = text.format_map(names)
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(self.path)
        self._socket.listen()
        os.chown(self.path, stage.uid, stage.uid)
        stage.own()

    def is_heard(self) -> bool:
        return bool(select.select([self._socket], [], [], 0)[0])

    def close(self) -> None:
        self._socket.close()
        Path(self.path).unlink(missing_ok=True)


Listen = Callable[[Stage, Server], Listening]


@pytest.fixture
def listen() -> Iterator[Listen]:
    opened: list[Listening] = []

    def start(stage: Stage, server: Server) -> Listening:
        opened.append(Listening(stage, server))
        return opened[-1]

    yield start
    for listening in opened:
        listening.close()


def _reach(stage: Stage, listening: Listening, *, online: bool = True) -> str:
    source = f"P = {listening.path!r}\n{REACHING_A_SERVER}"
    policy = stage.policy(network_access=online)
    return stage.python(source, policy, **listening.variables).output


@pytest.mark.parametrize("server", SERVERS_THAT_START_PROGRAMS, ids=lambda server: server.name)
def test_servers_that_start_programs_are_not_reached(
    stage: Stage, listen: Listen, server: Server
) -> None:
    listening = listen(stage, server)
    said = _reach(stage, listening)
    assert not listening.is_heard()
    assert said == ""


@pytest.mark.parametrize("server", SERVERS_THAT_START_PROGRAMS, ids=lambda server: server.name)
def test_those_servers_would_be_reached_without_a_sandbox(
    open_stage: Stage, listen: Listen, server: Server
) -> None:
    listening = listen(open_stage, server)
    _reach(open_stage, listening)
    assert listening.is_heard()


@pytest.mark.parametrize("server", SERVERS_THAT_START_PROGRAMS, ids=lambda server: server.name)
def test_landlock_refuses_what_it_cannot_keep_from_them(
    make_stage: Callable[[probe.Mechanism, int], Stage], listen: Listen, server: Server
) -> None:
    stage = make_stage("landlock", os.geteuid())
    listening = listen(stage, server)
    with pytest.raises(SandboxUnavailable, match="Landlock cannot close"):
        stage.shell(":", ONLINE, **listening.variables)


@pytest.mark.parametrize("server", SERVERS_LET_THROUGH, ids=lambda server: server.name)
def test_servers_that_only_serve_are_reached(stage: Stage, listen: Listen, server: Server) -> None:
    listening = listen(stage, server)
    said = _reach(stage, listening)
    assert listening.is_heard(), said


@pytest.mark.parametrize(
    "server",
    [server for server in SERVERS_THAT_START_PROGRAMS if server.place.startswith("{T}")],
    ids=lambda server: server.name,
)
def test_a_command_without_network_opens_no_way_for_one_with_network(
    stage: Stage, listen: Listen, server: Server
) -> None:
    listening = listen(stage, server)
    _reach(stage, listening, online=False)
    _reach(stage, listening)
    assert not listening.is_heard()


def test_screen_takes_no_orders_through_a_pipe(stage: Stage) -> None:
    pipe = stage.outside / "home" / ".screen" / "1.pts-0"
    pipe.parent.mkdir(parents=True)
    os.mkfifo(pipe)
    stage.own()
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write = f"os.write(os.open({str(pipe)!r}, os.O_WRONLY | os.O_NONBLOCK), b'x')"
        stage.python(write, HOME=str(stage.outside / "home"))
        assert not select.select([reader], [], [], 0)[0]
    finally:
        os.close(reader)


def test_the_runtime_folder_is_empty_but_for_programs_and_takes_no_files(stage: Stage) -> None:
    runtime = stage.outside / "runtime"
    (runtime / "node" / "bin").mkdir(parents=True)
    (runtime / "node" / "bin" / "node").write_text("#!/bin/sh\necho ran\n")
    (runtime / "node" / "bin" / "node").chmod(0o755)
    (runtime / "secret").write_text("x")
    stage.own()
    done = stage.shell(
        "node; ls $XDG_RUNTIME_DIR; echo x 2>&- > $XDG_RUNTIME_DIR/new || echo refused",
        stage.policy(network_access=True),
        XDG_RUNTIME_DIR=str(runtime),
        PATH=f"{runtime}/node/bin:/usr/bin:/bin",
    )
    assert done.output.splitlines()[:2] == ["ran", "node"]
    assert done.output.splitlines()[-1] == "refused"
    assert sorted(os.listdir(runtime)) == ["node", "secret"]


def test_no_variable_leads_to_them(any_stage: Stage) -> None:
    given = dict.fromkeys(INVITATIONS, "somewhere")
    done = any_stage.shell("env", ReadOnlySandboxPolicy(), KEPT="1", **given)
    names = {line.partition("=")[0] for line in done.output.splitlines()}
    assert "KEPT" in names
    assert not names & INVITATIONS


class Nameless:
    """A server with an abstract name, and a command that connects to it."""

    def __init__(self, stage: Stage) -> None:
        name = f"codex-{stage.base.name}"
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind("\0" + name)
        self.socket.listen()
        self.connect = f"import socket; socket.socket(socket.AF_UNIX).connect('\\0{name}')"
        self.variables = {"KITTY_LISTEN_ON": f"unix:@{name}"}

    def is_heard(self) -> bool:
        return bool(select.select([self.socket], [], [], 0)[0])


def test_a_server_without_a_file_is_not_reached_or_the_command_is_refused(stage: Stage) -> None:
    server = Nameless(stage)
    with server.socket:
        if stage.mechanism == "bubblewrap" or not landlock.closes_abstract():
            with pytest.raises(SandboxUnavailable, match="no place that could be covered"):
                stage.python(server.connect, ONLINE, **server.variables)
        else:
            stage.python(server.connect, ONLINE, **server.variables)
        assert not server.is_heard()


def test_a_server_without_a_file_would_be_reached_without_a_sandbox(open_stage: Stage) -> None:
    server = Nameless(open_stage)
    with server.socket:
        open_stage.python(server.connect)
        assert server.is_heard()


def test_a_server_that_is_gone_by_now_hinders_nothing(
    make_stage: Callable[[probe.Mechanism, int], Stage], listen: Listen
) -> None:
    stage = make_stage("namespaces", os.geteuid())
    by_name = Server("gone", "{O}/named", {"TMUX": "{P},12,0"})
    listening = listen(stage, by_name)
    policy = stage.policy(network_access=True)
    command = stage.prepared(["/bin/echo", "ran"], policy, **listening.variables)
    listening.close()
    assert stage.run_prepared(command) == (0, "ran\n")
