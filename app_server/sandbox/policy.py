"""What permissions mean for one command here: which places may be written, read, or are to stay.

Pure reading: it looks at the file system and changes nothing. Knows no mechanism. All paths in the
result are real ones, without symbolic links on the way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from app_server.sandbox.control_sockets import ClosedPlaces, closed_places
from app_server.sandbox.errors import SandboxUnavailable
from app_server.sandbox.patterns import covers, matches
from app_server.sandbox.protected import PROTECTED_NAMES, Protection, protect
from app_server.sandbox.trace import is_below, is_below_any, trace
from app_server.sandbox.wishes import Permissions, Wishes, wishes

if TYPE_CHECKING:
    from pathlib import Path

_NEVER_ROOTS = ("/proc", "/sys", "/dev/pts")
"""The kernel's own trees: writing there is not writing files."""


class WritableRoot(NamedTuple):
    """A place that may be written, except for the paths below it that are protected."""

    path: str
    """It exists."""
    protected: tuple[str, ...] = ()
    """Existing paths, or paths that must not come into being."""


class Access(NamedTuple):
    """What one command may do."""

    is_confined: bool
    is_confined_elsewhere: bool = False
    """Somebody else does it."""
    writable_roots: tuple[WritableRoot, ...] = ()
    network_allowed: bool = False
    protection: Protection = Protection()
    """How the protected paths of all roots are to be held, for the mechanisms."""
    closed: ClosedPlaces = ClosedPlaces()
    """Where programs outside take orders."""
    readable: tuple[str, ...] | None = None
    """The existing places that may be read, parents first; None for everything."""
    hidden: tuple[str, ...] = ()
    """Existing places that may not even be read."""
    shown: tuple[str, ...] = ()
    """Existing places below hidden ones that may be read all the same."""
    hidden_patterns: tuple[str, ...] = ()
    """What else is hidden, as far as it is not among `hidden`."""
    found_by_patterns: tuple[str, ...] = ()
    """What the patterns meant when they were looked for."""

    def may_read(self, path: str) -> bool:
        """Whether this link-free path may be read."""
        if not self.is_confined:
            return True
        if any(covers(pattern, path) for pattern in self.hidden_patterns):
            return False
        if self.readable is not None and not is_below_any(path, self.readable):
            return False
        opened = (*(root.path for root in self.writable_roots), *self.shown)
        return _deepest(path, self.hidden) <= _deepest(path, opened)

    def may_write(self, path: str) -> bool:
        """Whether this link-free path may be written."""
        if not self.is_confined:
            return True
        around = [root for root in self.writable_roots if is_below(path, root.path)]
        if not around or not self.may_read(path):
            return False
        nearest = max(around, key=lambda root: len(root.path))
        return not is_below_any(path, nearest.protected)


def resolve_access(
    permissions: Permissions,
    cwd: str | Path,
    env: Mapping[str, str],
    extra_writable_roots: Sequence[str | Path] = (),
    *,
    codex_home: str | Path | None = None,
    also_protected: Iterable[str] = (),
    stays_visible: Iterable[str] = (),
    found_by_patterns: Sequence[str] | None = None,
) -> Access:
    """The places these permissions open for a command in `cwd` with this environment.

    Given Codex's home, a workspace-write policy lets its `memories` be written, and the rest of it
    may not be, whatever root it lies in. `also_protected` names further paths to keep,
    `stays_visible` what must not be covered. What hiding patterns mean now is looked for, folder by
    folder, unless it is given. Raises `SandboxUnavailable` for what cannot be kept.
    """
    home = None if codex_home is None else str(codex_home)
    asked = wishes(permissions, str(cwd), env, [str(path) for path in extra_writable_roots], home)
    if asked.confined_by != "us":
        return _unconfined(asked)
    kept = [*also_protected, *([] if home is None else [home])]
    roots = _existing_roots(asked)
    found = tuple(_found(asked) if found_by_patterns is None else found_by_patterns)
    unread = [*_hidden(asked), *found]
    protection = protect(roots, [*kept, *asked.read_only, *unread], names=asked.keeps_names)
    hidden = {os.path.realpath(path) for path in unread} - {*protection.missing, *roots}
    return Access(
        is_confined=True,
        writable_roots=tuple(WritableRoot(root, _below(root, protection)) for root in roots),
        network_allowed=asked.network_allowed,
        protection=protection,
        closed=closed_places(
            env,
            roots,
            network_allowed=asked.network_allowed,
            stays_visible=[str(cwd), *kept, *stays_visible],
            codex_home=home,
        ),
        readable=_readable(asked, roots),
        hidden=tuple(sorted(filter(os.path.exists, hidden))),
        shown=tuple(path for path in _real(asked.read_only) if is_below_any(path, hidden)),
        hidden_patterns=asked.hidden_patterns,
        found_by_patterns=found,
    )


def access_elsewhere(
    permissions: Permissions, cwd: str | Path, resolved: Callable[[Path], Path]
) -> Access:
    """The same for files of another machine, as far as it can be told from here: for judging single
    paths, not for holding a command.

    `resolved` says where a path leads there; what it raises passes. Which folder its TMPDIR names
    is not known, so that is none of the writable ones. Raises `SandboxUnavailable`.
    """
    asked = wishes(permissions, str(cwd), {})
    if asked.confined_by != "us":
        return _unconfined(asked)
    from pathlib import Path  # not on the way of a command

    def real(paths: Iterable[str]) -> list[str]:
        return sorted({str(resolved(Path(path))) for path in paths if os.path.isabs(path)})

    roots = real([*([] if asked.workspace is None else [asked.workspace]), *asked.writable])
    names = PROTECTED_NAMES if asked.keeps_names else ()
    kept = [os.path.join(root, name) for root in roots for name in names]
    hidden = real(asked.hidden)
    kept += [*real(kept), *real(asked.read_only), *hidden]

    def below(root: str) -> tuple[str, ...]:
        return tuple(sorted({path for path in kept if path != root and is_below(path, root)}))

    return Access(
        is_confined=True,
        writable_roots=tuple(WritableRoot(root, below(root)) for root in roots),
        network_allowed=asked.network_allowed,
        readable=None if asked.readable is None else tuple(real([*asked.readable, *roots])),
        hidden=tuple(hidden),
        shown=tuple(path for path in real(asked.read_only) if is_below_any(path, hidden)),
        hidden_patterns=asked.hidden_patterns,
    )


def _unconfined(asked: Wishes) -> Access:
    return Access(
        is_confined=False,
        is_confined_elsewhere=asked.confined_by == "somebody else",
        network_allowed=asked.network_allowed,
    )


def _note(message: str, *arguments: object) -> None:
    import logging  # some milliseconds, for what hardly ever happens

    logging.getLogger(__name__).warning(message, *arguments)


def _existing_roots(asked: Wishes) -> list[str]:
    """The real paths of those that exist, the workspace in any case.

    Another root that is reached through a link which lies in a root is left out: a command could
    have made that link, and would choose with it what the next command may write.
    """
    roots: list[str] = []
    first = [] if asked.workspace is None else [asked.workspace]
    for path in [*first, *sorted(asked.writable, key=len)]:
        if not os.path.isabs(path):
            continue
        try:
            found = trace(path)
        except OSError as error:
            _note("writable root %s is left out: %s", path, error)
            continue
        if found.kind is None or found.is_endless or found.real in roots:
            continue
        if is_below_any(found.real, _NEVER_ROOTS):
            _note("writable root %s is left out: it belongs to the kernel", path)
            continue
        if path != asked.workspace and any(is_below_any(link, roots) for link in found.links):
            _note("writable root %s is left out: reached by a link commands can make", path)
            continue
        roots.append(found.real)
    return roots


def _hidden(asked: Wishes) -> Sequence[str]:
    """What is named as not to be read; links are not followed yet."""
    for path in asked.hidden:
        if os.path.realpath(path) == "/":
            raise SandboxUnavailable(
                f"{path} leads to the root of the file system and cannot be hidden",
                "Name what is to be hidden by the path it has.",
            )
    return asked.hidden


def _found(asked: Wishes) -> Iterable[str]:
    for pattern in asked.hidden_patterns:
        yield from matches(pattern, asked.pattern_depth)


def _deepest(path: str, places: Iterable[str]) -> int:
    return max((len(place) for place in places if is_below(path, place)), default=0)


def _readable(asked: Wishes, roots: Sequence[str]) -> tuple[str, ...] | None:
    """With the names that lead to folders, since programs are called by them (`/bin`)."""
    if asked.readable is None:
        return None
    named = [path for path in asked.readable if os.path.isdir(path)]
    more = ["/etc/resolv.conf"] if asked.network_allowed else []
    return tuple(sorted({*_real([*asked.readable, *more]), *named, *roots}))


def _real(paths: Iterable[str]) -> list[str]:
    """Where those that exist lead."""
    return sorted({os.path.realpath(path) for path in paths if os.path.exists(path)})


def _below(root: str, protection: Protection) -> tuple[str, ...]:
    paths = {*protection.read_only, *protection.missing, *protection.links}
    return tuple(sorted(path for path in paths if is_below(path, root)))
