"""The control socket: websockets over a socket file that only its owner can open.

The file is 0600 in a 0700 folder, whatever the umask. A lock beside it settles which of two servers
starting at once may have it; a file nobody listens on is replaced, anything else is left alone.
Systems take only short paths for sockets; deep home folders are reached all the same.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app_server.paths import make_private_folder

LONGEST_NAME_BYTES = 100
"""Of a socket; systems take 104 or 108."""


class SocketUnavailable(Exception):
    """The path is taken, or cannot be used."""


@contextmanager
def bound_socket(path: Path) -> Iterator[socket.socket]:
    """A bound socket at `path`, removed in the end. Raises `SocketUnavailable`."""
    try:
        make_private_folder(path.parent)
        with _lock(path):
            _make_room(path)
            bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                with within_reach(path) as address:
                    bound.bind(address)
                os.chmod(path, 0o600)  # before anybody can connect: it does not listen yet
                inode = os.stat(path).st_ino
            except OSError:
                bound.close()
                raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise SocketUnavailable(f"cannot listen on {path}: {reason}") from error
    try:
        yield bound
    finally:
        bound.close()
        _remove_own(path, inode)


@contextmanager
def within_reach(path: Path) -> Iterator[str]:
    """A name for the socket at `path` that is short enough to bind or connect to meanwhile.

    Where the system offers no way around a long path it is given as it is. Raises `OSError`.
    """
    if len(os.fsencode(path)) <= LONGEST_NAME_BYTES or not os.path.isdir("/proc/self/fd"):
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def peer_uid(connected: socket.socket) -> int | None:
    """The user at the other end of a connected socket file; None where the system tells nothing."""
    uid: int | None = None
    if sys.platform == "linux":
        ucred = struct.Struct("3i")  # pid, uid, gid
        found = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, ucred.size)
        _pid, uid, _gid = ucred.unpack(found)
    elif sys.platform == "darwin":
        found = connected.getsockopt(0, 1, 128)  # SOL_LOCAL, LOCAL_PEERCRED: a struct xucred
        _version, uid = struct.unpack_from("II", found)
    return uid


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    descriptor = os.open(
        path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _make_room(path: Path) -> None:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SocketUnavailable(
            f"app-server control socket path exists and is not a socket: {path}"
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            with within_reach(path) as address:
                probe.connect(address)
        except OSError as error:
            if error.errno not in (errno.ECONNREFUSED, errno.ENOENT):
                raise
        else:
            raise SocketUnavailable(f"app-server control socket is already in use at {path}")
    path.unlink(missing_ok=True)


def _remove_own(path: Path, inode: int) -> None:
    """Only if it is still ours: another server may have taken the path over."""
    try:
        if os.lstat(path).st_ino == inode:
            path.unlink()
    except OSError:
        pass
