"""What the command sees: the same tree, read-only but for what the plan opens, or parts of it only.

Every part that is to differ is first taken as a detached copy; then the rest is closed and the
copies are put over it, parents before what lies in them.
"""

from __future__ import annotations

import ctypes
import os
import stat

from app_server.sandbox.confine.kernel import Failed, check, libc, syscall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
EMPTY_FOLDERS = {"cover": "mode=755", "hide": "mode=000", "veil": "mode=111"}
"""Kinds of mounts that are file systems of their own, and their options."""
OUTSIDE = "/.outside"

# The same on all machines the filter knows; `pivot_root` is not, and comes with the plan.
SYS_OPEN_TREE = 428
SYS_MOVE_MOUNT = 429
SYS_MOUNT_SETATTR = 442

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REC = 1 << 14
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000
OPEN_TREE_CLONE = 1
MOVE_MOUNT_F_EMPTY_PATH = 4
ATTR_RDONLY = 1
ATTR_NOSUID = 2
ATTR_NODEV = 4


def build_view(plan: dict[str, Any]) -> None:
    """Mount everything the plan names, and go to the command's folder."""
    check("mount", libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
    mounts = [
        (path, kind)
        for path, kind in plan["mounts"]
        # Other people's sockets come and go.
        if kind in ("write", "read", "link") or os.path.lexists(path)
    ]
    opened = [
        (path, kind, -1 if kind in EMPTY_FOLDERS else _detached_copy(path, kind))
        for path, kind in mounts
    ]
    devices = [
        (name, _open_tree(f"/dev/{name}", 0)) for name in DEVICES if os.path.exists(f"/dev/{name}")
    ]
    if os.isatty(0):
        # So that programs asking for the terminal's name find one.
        devices.append(("console", _open_tree(os.ttyname(0), 0)))
    is_whole = plan["readable"] is None
    if is_whole:
        _close_the_tree(plan["all_writable"])
    else:
        _start_empty(plan["readable"], plan["pivot_root"])
    _mount_devices(devices)
    _mount_processes(may_keep_old=is_whole and plan["landlock"] is not None)
    if not is_whole:
        check("leave the old root", libc.umount2(OUTSIDE.encode(), MNT_DETACH))
        os.rmdir(OUTSIDE)
    for path, kind, fd in opened:
        if kind in EMPTY_FOLDERS:
            os.makedirs(path, exist_ok=True)
            _mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, EMPTY_FOLDERS[kind])
        else:
            _attach(path, kind, fd)
    for path, kind in mounts:
        if kind in EMPTY_FOLDERS:
            _set_attributes(AT_FDCWD, path, 0, ATTR_RDONLY)
    if not is_whole:
        _set_attributes(AT_FDCWD, "/", 0, ATTR_RDONLY)
    try:
        os.chdir(plan["cwd"])
    except OSError as error:
        raise Failed(f"{plan['cwd']} cannot be entered", error) from None


def _close_the_tree(all_writable: bool) -> None:
    everywhere = ATTR_NOSUID | ATTR_NODEV
    if all_writable:
        for kernels in ("/sys", "/proc"):
            _set_attributes(AT_FDCWD, kernels, AT_RECURSIVE, ATTR_RDONLY)
    else:
        everywhere |= ATTR_RDONLY
    _set_attributes(AT_FDCWD, "/", AT_RECURSIVE, everywhere)


def _start_empty(readable: list[str], pivot_root: int) -> None:
    """A new tree with these parts of the old one, which stays at `OUTSIDE` for the moment."""
    parts = [(path, _detached_copy(path, "read")) for path in readable if os.path.exists(path)]
    new = "/proc"  # a folder that is always there
    _mount("tmpfs", new, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    os.mkdir(new + OUTSIDE)
    check("pivot_root", syscall(pivot_root, new.encode(), (new + OUTSIDE).encode()))
    os.chdir("/")
    for name in ("/dev", "/proc"):
        os.mkdir(name)
    for path, fd in parts:
        _attach(path, "read", fd)


def _detached_copy(path: str, kind: str) -> int:
    """A part of the tree as it is now, to be put over itself once the rest is closed."""
    if kind == "close":
        path = "/dev/null"
    flags = AT_SYMLINK_NOFOLLOW if kind == "link" else AT_RECURSIVE
    fd = _open_tree(path, flags)
    attributes = ATTR_NOSUID | ATTR_NODEV | (0 if kind == "write" else ATTR_RDONLY)
    _set_attributes(fd, "", AT_EMPTY_PATH | flags & AT_RECURSIVE, attributes)
    return fd


def _attach(path: str, kind: str, fd: int) -> None:
    if kind != "link" and not os.path.lexists(path):
        # Below one of the file systems made here.
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            os.makedirs(path, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    check(
        f"mount {path}",
        syscall(SYS_MOVE_MOUNT, fd, b"", AT_FDCWD, os.fsencode(path), MOVE_MOUNT_F_EMPTY_PATH),
    )
    os.close(fd)


def _mount_devices(devices: list[tuple[str, int]]) -> None:
    _mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755")
    for name, fd in devices:
        _attach(f"/dev/{name}", "write", fd)
    os.mkdir("/dev/shm", 0o1777)
    _mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    os.mkdir("/dev/pts", 0o755)
    options = "newinstance,ptmxmode=0666,mode=620"
    _mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, options)
    for name, target in (
        ("ptmx", "pts/ptmx"),
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ):
        os.symlink(target, f"/dev/{name}")
    _set_attributes(AT_FDCWD, "/dev", 0, ATTR_RDONLY)


def _mount_processes(*, may_keep_old: bool) -> None:
    """A view of the sandbox's own processes only.

    In a container that hides parts of /proc the kernel refuses one. Then the old one stays, which
    is safe only inside a Landlock domain: it keeps other processes' roots and memory closed.
    """
    try:
        _mount("proc", "/proc", "proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "")
    except Failed:
        if not may_keep_old:
            raise


def _open_tree(path: str, flags: int) -> int:
    number = SYS_OPEN_TREE
    fd = syscall(number, AT_FDCWD, os.fsencode(path), OPEN_TREE_CLONE | os.O_CLOEXEC | flags)
    check(f"take {path}", fd)
    return fd


def _set_attributes(fd: int, path: str, flags: int, added: int) -> None:
    attributes = (ctypes.c_uint64 * 4)(added, 0, 0, 0)
    result = syscall(SYS_MOUNT_SETATTR, fd, os.fsencode(path), flags, ctypes.byref(attributes), 32)
    check(f"change mount {path}", result)


def _mount(source: str, target: str, kind: str, flags: int, options: str) -> None:
    result = libc.mount(
        source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), options.encode()
    )
    check(f"mount {target}", result)
