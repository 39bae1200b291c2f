"""The program that builds a sandbox around itself and then becomes the command.

Never imported by anyone: the server compiles this file once and hands the code to a bare
interpreter (`python -I -S`) through a memory file together with a plan (see `helper.py`), so that
nothing a command can write decides what runs here.
Only the kernel is asked; every import costs start-up time, hence `_signal`.

With namespaces there are three processes: the outer one waits and answers for the result, the
inner one is process 1 of the sandbox, builds it, gives up everything and reaps, and its child
becomes the command. With Landlock alone this process itself becomes the command. Whatever cannot
be set up ends the program with a message and status 125 before the command has run.
"""

from __future__ import annotations

import ctypes
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal as _signal
    from typing import Any, NoReturn
else:
    import _signal

SET_UP_FAILED = 125
CANNOT_EXECUTE = 126
NOT_FOUND = 127

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REC = 1 << 14
MS_PRIVATE = 1 << 18

AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000
OPEN_TREE_CLONE = 1
MOVE_MOUNT_F_EMPTY_PATH = 4
ATTR_RDONLY = 1
ATTR_NOSUID = 2
ATTR_NODEV = 4

# The same on all machines the filter knows.
SYS_OPEN_TREE = 428
SYS_MOVE_MOUNT = 429
SYS_MOUNT_SETATTR = 442
SYS_LANDLOCK_CREATE = 444
SYS_LANDLOCK_ADD = 445
SYS_LANDLOCK_RESTRICT = 446
SYS_CLOSE_RANGE = 436

PR_SET_PDEATHSIG = 1
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_SECUREBITS = 28
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
SECUREBITS_ALL_LOCKED = 0xEF  # root means nothing, nothing is raised, and so it stays
CAPABILITY_VERSION = 0x20080522

LANDLOCK_FILE_RIGHTS = 0x1 | 0x2 | 0x4 | 1 << 14 | 1 << 15

TIOCSCTTY = 0x540E


def main(plan: dict[str, Any]) -> NoReturn:
    step = "unexpectedly"
    try:
        _end_with_parent()
        _keep_only_standard_streams()
        if plan["has_namespaces"]:
            _run_in_namespaces(plan)
        _give_up_everything(plan)
        _become(plan)
    except _Failed as failure:
        step, error = failure.step, failure.error
    except OSError as caught:
        error = caught
    _stop(step, error)


class _Failed(Exception):
    def __init__(self, step: str, error: OSError) -> None:
        self.step = step
        self.error = error


def _stop(step: str, error: OSError) -> NoReturn:
    _say(f"codex: the sandbox could not be set up: {step}: {error.strerror}")
    os._exit(SET_UP_FAILED)


def _say(text: str) -> None:
    try:
        os.write(2, os.fsencode(text + "\n"))
    except OSError:
        pass


# The outer process


def _run_in_namespaces(plan: dict[str, Any]) -> NoReturn:
    _enter_namespaces(plan["network_allowed"])
    watched = {_signal.SIGTERM, _signal.SIGCHLD}
    _signal.pthread_sigmask(_signal.SIG_BLOCK, watched)
    for number in (_signal.SIGINT, _signal.SIGHUP, _signal.SIGQUIT):
        _signal.signal(number, _signal.SIG_IGN)
    outer_pid = os.getpid()
    inner = os.fork()
    if inner == 0:
        try:
            _be_first_process(plan, outer_pid)
        except _Failed as failure:
            _stop(failure.step, failure.error)
        except OSError as error:
            _stop("unexpectedly", error)
        finally:
            os._exit(SET_UP_FAILED)
    while True:
        if _signal.sigwait(watched) == _signal.SIGTERM:
            os.kill(inner, _signal.SIGTERM)
            continue
        pid, status = os.waitpid(inner, os.WNOHANG)
        if pid == inner:
            os._exit(_shell_code(status))


def _enter_namespaces(network_allowed: bool) -> None:
    uid, gid = os.geteuid(), os.getegid()
    others = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP
    if not network_allowed:
        others |= CLONE_NEWNET
    try:
        _check("unshare", _libc.unshare(CLONE_NEWUSER | others))
    except _Failed:
        # The superuser of a machine whose user namespaces are used up or switched off.
        if uid != 0:
            raise
        _check("unshare", _libc.unshare(others))
        return
    try:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} {uid} 1"),
            ("gid_map", f"{gid} {gid} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    except OSError as error:
        raise _Failed("users cannot be mapped", error) from None


# The first process of the sandbox


def _be_first_process(plan: dict[str, Any], outer_pid: int) -> NoReturn:
    _check("prctl", _libc.prctl(PR_SET_PDEATHSIG, _signal.SIGKILL, 0, 0, 0))
    _build_view(plan)
    _give_up_everything(plan)
    command = os.fork()
    if command == 0:
        _become(plan)
    watched = {_signal.SIGTERM, _signal.SIGCHLD}
    while True:
        if _signal.sigwait(watched) == _signal.SIGTERM:
            os.kill(-1, _signal.SIGTERM)
            continue
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == command:
                os._exit(_shell_code(status))
            if pid == 0:
                break


def _build_view(plan: dict[str, Any]) -> None:
    """The same tree, read-only but for what the plan opens."""
    _check("mount", _libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
    mounts = [
        (path, kind)
        for path, kind in plan["mounts"]
        # Other people's sockets come and go.
        if kind not in ("close", "cover", "pass") or os.path.lexists(path)
    ]
    covers = [path for path, kind in mounts if kind == "cover"]
    opened = [
        (path, kind, -1 if kind == "cover" else _detached_copy(path, kind)) for path, kind in mounts
    ]
    devices = [
        (name, _open_tree(f"/dev/{name}", 0)) for name in DEVICES if os.path.exists(f"/dev/{name}")
    ]
    if os.isatty(0):
        # So that programs asking for the terminal's name find one.
        devices.append(("console", _open_tree(os.ttyname(0), 0)))
    everywhere = ATTR_NOSUID | ATTR_NODEV
    if plan["all_writable"]:
        _set_attributes(AT_FDCWD, "/sys", AT_RECURSIVE, ATTR_RDONLY)
    else:
        everywhere |= ATTR_RDONLY
    _set_attributes(AT_FDCWD, "/", AT_RECURSIVE, everywhere)
    _mount_devices(devices)
    _mount_processes(plan)
    for path, kind, fd in opened:
        if kind == "cover":
            _mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755")
        else:
            _attach(path, kind, fd)
    for path in covers:
        _set_attributes(AT_FDCWD, path, 0, ATTR_RDONLY)
    try:
        os.chdir(plan["cwd"])
    except OSError as error:
        raise _Failed(f"{plan['cwd']} cannot be entered", error) from None


def _detached_copy(path: str, kind: str) -> int:
    """A part of the tree as it is now, to be put over itself once the rest is read-only."""
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
        if kind == "pass" and not stat.S_ISDIR(os.fstat(fd).st_mode):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        else:
            os.makedirs(path, exist_ok=True)
    _check(
        f"mount {path}",
        _syscall(SYS_MOVE_MOUNT, fd, b"", AT_FDCWD, os.fsencode(path), MOVE_MOUNT_F_EMPTY_PATH),
    )
    os.close(fd)


def _mount_devices(devices: list[tuple[str, int]]) -> None:
    _mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755")
    for name, fd in devices:
        os.close(os.open(f"/dev/{name}", os.O_CREAT | os.O_WRONLY, 0o666))
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


def _mount_processes(plan: dict[str, Any]) -> None:
    """A view of the sandbox's own processes only.

    In a container that hides parts of /proc the kernel refuses one. Then the old one stays, which
    is safe only inside a Landlock domain: it keeps other processes' roots and memory closed.
    """
    try:
        _mount("proc", "/proc", "proc", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "")
    except _Failed:
        if plan["landlock"] is None:
            raise


def _open_tree(path: str, flags: int) -> int:
    number = SYS_OPEN_TREE
    fd = _syscall(number, AT_FDCWD, os.fsencode(path), OPEN_TREE_CLONE | os.O_CLOEXEC | flags)
    _check(f"take {path}", fd)
    return fd


def _set_attributes(fd: int, path: str, flags: int, added: int) -> None:
    attributes = (ctypes.c_uint64 * 4)(added, 0, 0, 0)
    result = _syscall(SYS_MOUNT_SETATTR, fd, os.fsencode(path), flags, ctypes.byref(attributes), 32)
    _check(f"change mount {path}", result)


def _mount(source: str, target: str, kind: str, flags: int, options: str) -> None:
    result = _libc.mount(
        source.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), options.encode()
    )
    _check(f"mount {target}", result)


# Giving up


def _give_up_everything(plan: dict[str, Any]) -> None:
    """Capabilities, the hope for new ones, writing elsewhere, and the calls of the filter."""
    for capability in range(64):
        if _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # past the last one, or not privileged to begin with
    _libc.prctl(PR_SET_SECUREBITS, SECUREBITS_ALL_LOCKED, 0, 0, 0)
    _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _check("drop capabilities", _libc.capset(ctypes.byref(header), ctypes.byref(nothing)))
    _check("prctl", _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    if plan["landlock"] is not None:
        _restrict_files(plan["landlock"])
    program = plan["seccomp"]
    instructions = ctypes.create_string_buffer(program, len(program))
    filter_ = _Filter(len(program) // 8, ctypes.addressof(instructions))
    _check("seccomp", _libc.prctl(PR_SET_SECCOMP, 2, ctypes.byref(filter_), 0, 0))


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("folder_fd", ctypes.c_int32))


def _restrict_files(rules: dict[str, Any]) -> None:
    attributes = (ctypes.c_uint64 * 3)(rules["handled"], 0, rules["scoped"])
    size = 24 if rules["scoped"] else 8
    ruleset = _syscall(SYS_LANDLOCK_CREATE, ctypes.byref(attributes), size, 0)
    _check("landlock", ruleset)
    for path, rights in rules["allowed"]:
        try:
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _Failed(f"landlock {path}", error) from None
        _allow(ruleset, fd, rights if os.path.isdir(path) else rights & LANDLOCK_FILE_RIGHTS)
        os.close(fd)
    for stream in (0, 1, 2):
        # What the caller gave us to write to may be opened again under its name, /dev/stdout.
        try:
            fd = os.open(f"/proc/self/fd/{stream}", os.O_PATH | os.O_CLOEXEC)
            if os.isatty(stream):
                _allow(ruleset, fd, rules["handled"] & LANDLOCK_FILE_RIGHTS)
            os.close(fd)
        except (_Failed, OSError):
            continue
    _check("landlock", _syscall(SYS_LANDLOCK_RESTRICT, ruleset, 0))
    os.close(ruleset)


def _allow(ruleset: int, fd: int, rights: int) -> None:
    rule = _Beneath(rights, fd)
    _check("landlock rule", _syscall(SYS_LANDLOCK_ADD, ruleset, 1, ctypes.byref(rule), 0))


# Becoming the command


def _become(plan: dict[str, Any]) -> NoReturn:
    code = CANNOT_EXECUTE
    argv = plan["argv"]
    try:
        if plan["claims_terminal"]:
            os.setsid()
            _check("claim the terminal", _libc.ioctl(0, TIOCSCTTY, 0))
        for number in range(1, 65):
            try:
                _signal.signal(number, _signal.SIG_DFL)
            except (OSError, ValueError):
                continue
        _signal.pthread_sigmask(_signal.SIG_SETMASK, ())
        if not plan["has_namespaces"]:
            os.chdir(plan["cwd"])
        os.execvpe(argv[0], argv, plan["env"])
    except _Failed as failure:
        _stop(failure.step, failure.error)
    except (FileNotFoundError, NotADirectoryError) as error:
        code = NOT_FOUND
        _say(f"codex: {argv[0]}: {error.strerror}")
    except OSError as error:
        _say(f"codex: {argv[0]}: {error.strerror}")
    finally:
        os._exit(code)


# The kernel


def _end_with_parent() -> None:
    parent = os.getppid()
    _check("prctl", _libc.prctl(PR_SET_PDEATHSIG, _signal.SIGKILL, 0, 0, 0))
    if os.getppid() != parent:
        os._exit(SET_UP_FAILED)


def _keep_only_standard_streams() -> None:
    if _syscall(SYS_CLOSE_RANGE, 3, 0xFFFFFFFF, 0) != 0:
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))


def _shell_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _syscall(number: int, *arguments: Any) -> int:
    converted = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return int(_libc.syscall(ctypes.c_long(number), *converted))


def _check(what: str, result: int) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise _Failed(what, OSError(number, os.strerror(number)))


if __name__ == "__main__":
    main(globals()["plan"])
