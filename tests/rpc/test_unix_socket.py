"""The control socket's file: private, exclusive, and tidy."""

import os
import socket
import stat
from pathlib import Path

import pytest

from app_server.rpc.unix_socket import SocketUnavailable, bound_socket, peer_uid, within_reach


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # a socket's path has at most 107 bytes
    return Path("control") / "s.sock"


def test_the_file_is_private_whatever_the_umask_and_gone_afterwards(path: Path) -> None:
    before = os.umask(0)
    try:
        with bound_socket(path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(before)
    assert not path.exists()


def test_a_socket_somebody_listens_on_is_left_alone(path: Path) -> None:
    with bound_socket(path) as first:
        first.listen()
        with pytest.raises(SocketUnavailable, match="is already in use at"), bound_socket(path):
            pass
        assert path.exists()


def test_a_socket_nobody_listens_on_is_replaced(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with bound_socket(path) as bound:
        bound.listen()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_a_file_that_is_no_socket_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("mine")
    with pytest.raises(SocketUnavailable, match="exists and is not a socket"), bound_socket(path):
        pass
    assert path.read_text() == "mine"


def test_a_socket_another_server_took_over_is_not_removed(path: Path) -> None:
    with bound_socket(path):
        path.unlink()
        path.write_text("another's")
    assert path.read_text() == "another's"


def test_a_path_that_cannot_be_used_is_one_clear_error(tmp_path: Path) -> None:
    too_long = tmp_path / ("x" * 200)
    with pytest.raises(SocketUnavailable, match="cannot listen on"), bound_socket(too_long):
        pass


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs a way around long paths")
def test_a_path_too_long_for_a_socket_is_reached_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / ("deep" * 25) / ("deep" * 25) / "c.sock"
    for _ in range(2):  # a second time with the lock already there
        with bound_socket(path) as bound:
            bound.listen()
            with pytest.raises(SocketUnavailable, match="already in use"), bound_socket(path):
                pass
            with socket.socket(socket.AF_UNIX) as client, within_reach(path) as address:
                client.connect(address)
                assert peer_uid(client) in (None, os.getuid())
        assert not path.exists()
