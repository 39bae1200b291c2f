"""Sockets whose owners do what they are told, outside: a way around every rule on files.

Without network a command cannot make a socket. With network it can, and a service manager or a
container engine that listens on a file would start anything for it. Those known to do so are
covered. Other sockets, such as a key agent's, stay reachable where the network is.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

_OF_THE_SYSTEM = (
    "/run/dbus/system_bus_socket",
    "/run/systemd/private",
    "/run/docker.sock",
    "/run/podman/podman.sock",
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/lxd.socket",
    "/run/incus/unix.socket",
    "/run/snapd.socket",
    "/run/libvirt/libvirt-sock",
    "/run/libvirt/virtqemud-sock",
    "/var/lib/lxd/unix.socket",
    "/var/lib/incus/unix.socket",
    "/var/snap/lxd/common/lxd/unix.socket",
)
_OF_THE_USER = (
    "bus",
    "systemd/private",
    "docker.sock",
    "podman/podman.sock",
    "libvirt/libvirt-sock",
)
_ADDRESS_VARIABLES = ("DBUS_SESSION_BUS_ADDRESS", "DOCKER_HOST", "CONTAINER_HOST")


def control_sockets(env: Mapping[str, str]) -> tuple[str, ...]:
    """The real paths of those that exist here, also where these variables name another place."""
    folder = env.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
    paths = [*_OF_THE_SYSTEM, *(os.path.join(folder, name) for name in _OF_THE_USER)]
    for name in _ADDRESS_VARIABLES:
        paths += _named_in(env.get(name, ""))
    return tuple(sorted({os.path.realpath(path) for path in paths if _is_socket(path)}))


def _named_in(address: str) -> list[str]:
    """The paths in `unix:///a/b` (Docker) and `unix:path=/a/b,guid=…;…` (D-Bus)."""
    if address.startswith("unix://"):
        return [address.removeprefix("unix://")]
    parts = address.replace(";", ",").split(",")
    return [part.rpartition("path=")[2] for part in parts if "path=" in part]


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False
