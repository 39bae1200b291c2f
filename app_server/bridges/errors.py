"""What can go wrong with bridges.

    BridgeError
    ├── BridgeInvalid      the settings of a bridge cannot be used
    ├── BridgeUnavailable  a bridge could not listen, or its state file could not be written
    └── BridgeRefusal      a plugin's request is not passed on; answered with `status` and `detail`

The texts of `BridgeInvalid` and `BridgeRefusal` are part of what plugins rely on.
"""

from __future__ import annotations


class BridgeError(Exception):
    """Something about a bridge went wrong."""


class BridgeInvalid(BridgeError):
    """The settings of a bridge cannot be used."""


class BridgeUnavailable(BridgeError):
    """A bridge could not be opened."""

    def __init__(self, bridge_id: str, reason: str) -> None:
        super().__init__(f"plugin backend bridge `{bridge_id}` cannot be opened: {reason}")
        self.bridge_id = bridge_id
        self.reason = reason


class BridgeRefusal(BridgeError):
    """A request that is not passed on."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def unauthorized() -> BridgeRefusal:
    return BridgeRefusal(401, "Unauthorized plugin backend bridge request.")


def unsupported_method() -> BridgeRefusal:
    return BridgeRefusal(405, "Unsupported plugin backend bridge method.")


def unknown_path() -> BridgeRefusal:
    return BridgeRefusal(404, "Unknown plugin backend bridge path.")


def unreadable_body(reason: str) -> BridgeRefusal:
    return BridgeRefusal(500, f"Failed to read plugin backend bridge request body: {reason}")


def failed(reason: str) -> BridgeRefusal:
    return BridgeRefusal(500, f"Plugin backend bridge request failed: {reason}")
