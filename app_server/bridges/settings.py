"""What a bridge is told in the configuration: its id and the two prefixes it joins.

The kinds of the values are `config`'s business; here is what they must look like. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from app_server.bridges.errors import BridgeInvalid


class Bridge(msgspec.Struct, frozen=True, kw_only=True):
    """One table of `[plugin_backend_bridges]`."""

    id: str
    local_path_prefix: str
    """Under which a plugin asks; begins and ends with a slash, as the other does."""
    backend_path_prefix: str
    """Where that leads; nothing beside or above it is ever asked for."""


def read_bridge(bridge_id: str, table: Mapping[str, str]) -> Bridge:
    """The bridge a table describes. Raises `BridgeInvalid`."""
    if not _ID.fullmatch(bridge_id):
        raise BridgeInvalid(
            "plugin backend bridge ids may contain only ASCII letters, digits, `_`, and `-`"
        )
    for key in ("local_path_prefix", "backend_path_prefix"):
        if not (table[key].startswith("/") and table[key].endswith("/")):
            raise BridgeInvalid(f"plugin backend bridge {key} must start and end with `/`")
    return Bridge(
        id=bridge_id,
        local_path_prefix=table["local_path_prefix"],
        backend_path_prefix=table["backend_path_prefix"],
    )


_ID = re.compile(r"[A-Za-z0-9_-]+")
