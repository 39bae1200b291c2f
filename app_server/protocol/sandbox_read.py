"""What confines commands on the server's machine; a method of our own."""

from typing import Literal, TypeAlias

from app_server.protocol.method import ClientMethod
from app_server.protocol.wire import Wire

SandboxMechanism: TypeAlias = Literal["bubblewrap", "namespaces", "landlock", "none"]


class SandboxReadParams(Wire):
    """Ask what confines commands there; finding out takes some tens of milliseconds, once."""


class SandboxReadResponse(Wire):
    mechanism: SandboxMechanism
    keeps: list[Literal["read-only", "workspace-write"]]
    """The policies it can hold."""
    missing: str | None = None
    """Why it is not a better one, as a clause."""
    remedy: str | None = None
    """What would help, as a sentence."""


SANDBOX_READ = ClientMethod(
    "sandbox/read", SandboxReadParams, SandboxReadResponse, experimental=True
)
