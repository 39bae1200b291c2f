"""Sockets whose owners do what they are told, outside: a way around every rule on files.

Without network a command cannot make a socket. With network it can, and a service manager, a
container engine, a terminal multiplexer or an editor that listens on a file would start anything
for it. Folders that exist for such sockets are covered as a whole, the user's runtime folder above
all, and only what is known to be harmless is let through; elsewhere sockets are closed one by one.

Not covered: X11, which starts no programs, and what listens on TCP, which is the network itself.
"""

from __future__ import annotations

import os
import pwd
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

from app_server.sandbox.trace import is_below, is_below_any

INVITATIONS = frozenset(
    (
        *("TMUX", "TMUX_PANE", "STY", "ZELLIJ", "ZELLIJ_SESSION_NAME"),
        *("KITTY_LISTEN_ON", "WEZTERM_UNIX_SOCKET", "ALACRITTY_SOCKET"),
        *("VSCODE_IPC_HOOK", "VSCODE_IPC_HOOK_CLI", "VSCODE_GIT_IPC_HANDLE"),
        *("EMACS_SERVER_FILE", "EMACS_SOCKET_NAME", "NVIM", "NVIM_LISTEN_ADDRESS"),
        *("I3SOCK", "SWAYSOCK", "NIRI_SOCKET", "HYPRLAND_INSTANCE_SIGNATURE"),
        *("AT_SPI_BUS_ADDRESS", "SESSION_MANAGER", "WATCHMAN_SOCK"),
    )
)
"""Variables that lead a program to one of these sockets; a confined command does not get them."""

_ADDRESSES = INVITATIONS | {"DBUS_SESSION_BUS_ADDRESS", "DOCKER_HOST", "CONTAINER_HOST"}

_LET_THROUGH = ("ssh-agent.socket", "openssh_agent", "keyring/ssh", "gcr/ssh")
"""Key agents in the runtime folder: they sign, and start nothing a command could have written."""

_SYSTEM_SOCKETS = (
    "/run/dbus/system_bus_socket",
    "/run/systemd/private",
    "/run/docker.sock",
    "/run/podman/podman.sock",
    "/run/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/buildkit/buildkitd.sock",
    "/run/cri-dockerd.sock",
    "/run/crio/crio.sock",
    "/run/lxd.socket",
    "/run/incus/unix.socket",
    "/run/snapd.socket",
    "/run/supervisor.sock",
    "/run/libvirt/libvirt-sock",
    "/run/libvirt/virtqemud-sock",
    "/var/lib/lxd/unix.socket",
    "/var/lib/incus/unix.socket",
    "/var/snap/lxd/common/lxd/unix.socket",
)
_SCREEN_FOLDERS = ("/run/screen", "/run/screens", "/tmp/screens", "/tmp/uscreens")
_HOME_FOLDERS = (
    ".screen",
    ".emacs.d/server",
    ".config/emacs/server",
    ".cache/at-spi",
    ".codex/app-server-control",
    ".docker/run",
    ".docker/desktop",
    ".local/share/wezterm",
    ".local/state/watchman",
)
"""Those of Emacs hold the keys to servers that listen on TCP."""
_HOME_SOCKETS = (".pm2/rpc.sock", ".rd/docker.sock", ".colima/default/docker.sock")
_LOOSE_NAMES = ("vscode-", "cursor-", "Alacritty-", "mpv", "nvim", "dbus-", "at-spi", "supervisor")
"""Beginnings of names in folders for temporary files."""

_WALK_DEPTH = 3
_MOST_ENTRIES = 4096


class ClosedPlaces(NamedTuple):
    """What is to be kept from a command. All paths are real ones and exist."""

    folders: tuple[str, ...] = ()
    """To be covered by empty folders."""
    files: tuple[str, ...] = ()
    """To be covered one by one."""
    let_through: tuple[str, ...] = ()
    """What stays to be seen in the folders."""
    abstract: tuple[str, ...] = ()
    """Listeners without a place in the file system, which no cover closes; as variables name them,
    since their names alone do not tell what they are."""

    @property
    def is_empty(self) -> bool:
        return not (self.folders or self.files)

    def sockets(self) -> Iterator[str]:
        """Those that really wait for somebody now."""
        yield from self.files
        for folder in self.folders:
            yield from _sockets_in(folder, _WALK_DEPTH, self.let_through)


def closed_places(
    env: Mapping[str, str],
    writable_roots: Sequence[str] = (),
    *,
    network_allowed: bool = True,
    stays_visible: Iterable[str] = (),
    codex_home: str | None = None,
) -> ClosedPlaces:
    """What is to be closed to a command with this environment, started by a process with ours.

    A folder that holds one of the roots or of `stays_visible` is not covered; the sockets in it
    are closed. Without network only what could be moved away or linked to for later is closed, and
    what takes orders through named pipes.
    """
    survey = _Survey(env, [*writable_roots, *stays_visible])
    for folder in _SCREEN_FOLDERS:
        survey.cover(folder)
    survey.everywhere(codex_home)
    return survey.result(writable_roots, network_allowed)


def without_invitations(env: Mapping[str, str]) -> dict[str, str]:
    """The environment of a confined command."""
    return {name: value for name, value in env.items() if name not in INVITATIONS}


class _Survey:
    def __init__(self, env: Mapping[str, str], visible: Iterable[str]) -> None:
        self._sources = (env, os.environ)
        self._visible = {os.path.realpath(path) for path in ("/tmp", "/usr", _home(), *visible)}
        self._visible.update(map(os.path.realpath, self._values("TMPDIR", "HOME")))
        self._folders: set[str] = set()
        self._files: set[str] = set()
        self._walked: set[str] = set()
        self._agents: set[str] = set()
        self._abstract: set[str] = set()

    def everywhere(self, codex_home: str | None) -> None:
        uid = os.geteuid()
        for folder in {f"/run/user/{uid}", *self._values("XDG_RUNTIME_DIR")}:
            self.cover(folder)
            self._agents.update(os.path.join(folder, name) for name in _LET_THROUGH)
        self._agents.update(self._values("SSH_AUTH_SOCK"))
        for home in {_home(), *self._values("HOME")}:
            for name in _HOME_FOLDERS:
                self.cover(os.path.join(home, name))
            self._close(os.path.join(home, name) for name in _HOME_SOCKETS)
        if codex_home is not None:
            self.cover(os.path.join(codex_home, "app-server-control"))
        for folder in self._values("SCREENDIR", "ZELLIJ_SOCKET_DIR"):
            self.cover(folder)
        for folder in self._values("TMUX_TMPDIR"):
            self.cover(os.path.join(folder, f"tmux-{uid}"))
        for folder in {"/tmp", *self._values("TMPDIR")}:
            self._temporary(folder)
        self._close(_SYSTEM_SOCKETS)
        for name in _ADDRESSES:
            for address in self._values(name):
                self._address(address)

    def cover(self, folder: str) -> None:
        if not os.path.isabs(folder) or not os.path.isdir(folder):
            return
        real = os.path.realpath(folder)
        if any(is_below(path, real) for path in self._visible):
            self._walked.update(_sockets_in(real, _WALK_DEPTH, ()))
        else:
            self._folders.add(real)

    def result(self, roots: Sequence[str], network_allowed: bool) -> ClosedPlaces:
        def counts(path: str) -> bool:
            return network_allowed or is_below_any(path, roots) or path in screens

        screens = {*_SCREEN_FOLDERS, *(path for path in self._folders if path.endswith("/.screen"))}
        outer = {p for p in self._folders if not is_below_any(p, self._folders - {p}) and counts(p)}
        agents = {os.path.realpath(path) for path in self._agents if _is_socket(path)}
        agents -= self._files
        named = (path for value in self._values("PATH") for path in value.split(":"))
        programs = {first for path in named for first in _first_below(path, outer)}
        let_through = {path for path in agents if is_below_any(path, outer)} | programs
        files = {
            path
            for path in self._files | (self._walked - agents)
            if counts(path) and (not is_below_any(path, outer) or is_below_any(path, programs))
        }
        return ClosedPlaces(
            folders=tuple(sorted(outer)),
            files=tuple(sorted(files)),
            let_through=tuple(sorted(let_through)),
            abstract=_listening(self._abstract) if network_allowed else (),
        )

    def _values(self, *names: str) -> list[str]:
        found = (source.get(name, "") for source in self._sources for name in names)
        return [value for value in found if value]

    def _close(self, paths: Iterable[str]) -> None:
        self._files.update(os.path.realpath(path) for path in paths if _is_socket(path))

    def _temporary(self, folder: str) -> None:
        uid, user = os.geteuid(), _user()
        own = {f"tmux-{uid}", f"emacs{uid}", f"zellij-{uid}", f"nvim.{user}", "hypr", ".ICE-unix"}
        try:
            names = os.listdir(folder)
        except OSError:
            return
        for name in names:
            is_own = name in own or name.startswith(f"i3-{user}.")
            if not (is_own or "kitty" in name or name.startswith(_LOOSE_NAMES)):
                continue
            path = os.path.join(folder, name)
            if os.path.islink(path):
                continue
            if is_own:
                self.cover(path)
            else:
                self._close([path])
                self._files.update(_sockets_in(os.path.realpath(path), 1, ()))

    def _address(self, address: str) -> None:
        """What `unix:///a/b`, `unix:path=/a/b,guid=…;…`, `/a/b,12,0` and `unix:@name` name."""
        for part in re.split("[,;]", address):
            abstract = re.match(r"(?:unix:)?(?:abstract=|@)(.+)", part)
            if abstract is not None:
                self._abstract.add(abstract[1])
            path = re.sub(r"^[\w.-][\w/.-]*:(?:path=|//(?=/))?|^path=", "", part)
            if os.path.isabs(path) and os.path.exists(path) and not os.path.isdir(path):
                self._files.add(os.path.realpath(path))


def _first_below(path: str, folders: Iterable[str]) -> Iterator[str]:
    """The folder directly in one of these that leads to `path`: programs are looked for there."""
    normal = os.path.normpath(path)
    for folder in folders:
        if os.path.isabs(path) and normal != folder and is_below(normal, folder):
            first = os.path.join(folder, os.path.relpath(normal, folder).split("/")[0])
            if os.path.isdir(first) and not os.path.islink(first):
                yield first


def _sockets_in(folder: str, depth: int, besides: Sequence[str]) -> Iterator[str]:
    """The sockets in a folder and so many levels of folders; other file systems are left alone."""
    waiting, seen = [(folder, 1)], 0
    while waiting:
        here, level = waiting.pop()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    seen += 1
                    if seen > _MOST_ENTRIES:
                        return
                    if entry.is_dir(follow_symlinks=False):
                        if level < depth and not os.path.ismount(entry.path):
                            waiting.append((entry.path, level + 1))
                    elif _is_socket(entry.path) and not is_below_any(entry.path, besides):
                        yield os.path.realpath(entry.path)
        except OSError:
            continue


def _listening(named: set[str]) -> tuple[str, ...]:
    """Those of these names that the kernel knows."""
    if not named:
        return ()
    try:
        with open("/proc/net/unix", errors="replace") as lines:
            known = {line.rpartition(" @")[2].strip() for line in lines if " @" in line}
    except OSError:
        known = named
    return tuple(sorted(named & known))


def _is_socket(path: str) -> bool:
    try:
        return os.path.isabs(path) and stat.S_ISSOCK(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def _user() -> str:
    return _account(os.geteuid())[0]


def _home() -> str:
    return _account(os.geteuid())[1]


@cache
def _account(uid: int) -> tuple[str, str]:
    """Name and home; of an account nobody wrote down, what the environment says."""
    try:
        found = pwd.getpwuid(uid)
    except KeyError:
        return os.environ.get("USER", str(uid)), os.environ.get("HOME", "/nonexistent")
    return found.pw_name, found.pw_dir
