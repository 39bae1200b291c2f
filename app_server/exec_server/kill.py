"""Ending a whole tree of processes, also the members that left their group or session.

Below a subreaper nothing gets away: an orphan is handed to the nearest subreaper above it, so every
descendant of the keeper is found by walking parents. A pass can miss what is being forked at that
moment; callers repeat it until there is nothing left.
"""

from __future__ import annotations

import os
import signal

_KERNEL_LISTS_CHILDREN = os.path.exists("/proc/thread-self/children")


def descendants(root_pid: int) -> list[int]:
    """Everything below `root_pid` as /proc shows it now, parents before their children."""
    found: list[int] = []
    waiting = [root_pid]
    while waiting:
        below = children_of(waiting.pop())
        found.extend(below)
        waiting.extend(below)
    return found


def children_of(pid: int) -> list[int]:
    """The direct children of `pid`, zombies included: their other threads may still run."""
    if not _KERNEL_LISTS_CHILDREN:
        return [child for child, parent in _parents() if parent == pid]
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found  # it has just ended
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb", buffering=0) as children:
                found.extend(map(int, children.readall().split()))
        except OSError:
            continue
    return found


def signal_all(pids: list[int], signal_number: int) -> None:
    """Send a signal to each; those that are gone or not ours are passed over."""
    for pid in pids:
        try:
            os.kill(pid, signal_number)
        except (ProcessLookupError, PermissionError):
            pass


def ask_tree_to_end(root_pid: int) -> None:
    """SIGTERM to everything below `root_pid`; the stopped are woken to hear it."""
    pids = descendants(root_pid)
    signal_all(pids, signal.SIGTERM)
    signal_all(pids, signal.SIGCONT)


def interrupt_tree(root_pid: int) -> None:
    """SIGINT to everything below `root_pid`; where a sandbox has a process namespace of its own,
    only to what is inside: the program that holds the sandbox would end it."""
    depths = {pid: _namespace_depth(pid) for pid in descendants(root_pid)}
    deepest = max(depths.values(), default=0)
    outermost = _namespace_depth(root_pid)
    signal_all(
        [pid for pid, depth in depths.items() if deepest == outermost or depth > outermost],
        signal.SIGINT,
    )


def kill_tree(root_pid: int) -> None:
    """SIGKILL to everything below `root_pid`; one pass."""
    signal_all(descendants(root_pid), signal.SIGKILL)


def kill_strays() -> bool:
    """SIGKILL to everything a keeper that was killed left to us; one pass. Whether any are left.

    Keepers stay in our session, and what they start begins with one of its own.
    """
    is_any_left = False
    for pid in children_of(os.getpid()):
        try:
            if os.getsid(pid) == os.getsid(0):
                continue
            signal_all([*descendants(pid), pid], signal.SIGKILL)
            is_any_left |= os.waitpid(pid, os.WNOHANG)[0] == 0
        except (ProcessLookupError, ChildProcessError):
            continue
    return is_any_left


def _namespace_depth(pid: int) -> int:
    """How many process namespaces this process is seen in from here."""
    try:
        with open(f"/proc/{pid}/status", "rb") as status:
            for line in status:
                if line.startswith(b"NSpid:"):
                    return len(line.split()) - 1
    except OSError:
        pass  # it has just ended
    return 0


def _parents() -> list[tuple[int, int]]:
    """Every process with its parent, for kernels that do not list children."""
    pairs: list[tuple[int, int]] = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb", buffering=0) as stat:
                # The command in parentheses may hold anything; the fields follow its last one.
                parent = stat.read(1024).rpartition(b")")[2].split(maxsplit=2)[1]
        except (OSError, IndexError):
            continue
        pairs.append((int(name), int(parent)))
    return pairs
