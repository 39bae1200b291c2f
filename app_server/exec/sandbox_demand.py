"""A sandbox that is asked of the process service which runs a command or changes a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from app_server.protocol.wire import JsonObject


class SandboxDemand(msgspec.Struct, frozen=True):
    """A permission profile as rollouts spell it, and the folder it speaks of."""

    permissions: JsonObject
    folder: Path

    def encoded(self, named: Callable[[Path], str]) -> msgspec.Raw:
        """As it travels; `named` says how the service wants a place to be named."""
        folder = named(self.folder)
        files = dict(self.permissions["file_system"])
        if "entries" in files:
            files["entries"] = [_named_entry(entry, named) for entry in files["entries"]]
        demand = {
            "permissions": {**self.permissions, "file_system": files},
            "cwd": folder,
            "workspaceRoots": [folder],
            # Clients of 0.128 and later always say these.
            "windowsSandboxLevel": "disabled",
            "windowsSandboxPrivateDesktop": False,
            "useLegacyLandlock": False,
        }
        return msgspec.Raw(msgspec.json.encode(demand))


def _named_entry(entry: JsonObject, named: Callable[[Path], str]) -> JsonObject:
    place = entry["path"]
    if place["type"] != "path":
        return entry
    return {**entry, "path": {**place, "path": named(Path(place["path"]))}}
