"""Where commands run: the seam between the agent and this machine, or another one.

An `Environment` runs a fully resolved request and streams what comes out. It decides nothing: which
program, which variables, whether confined and how long to wait is settled before. Everything it
started ends with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import msgspec

if TYPE_CHECKING:
    from app_server.exec.remote_files import RemoteFiles
    from app_server.exec.sandbox_demand import SandboxDemand
    from app_server.exec.shell_env import Variables

OutputStream: TypeAlias = Literal["stdout", "stderr", "pty"]
Confiner: TypeAlias = Literal["caller", "service", "nobody"]
"""Who puts a sandbox around a command: who asks for it, the process service that runs it, or nobody
can."""


class TtySize(msgspec.Struct, frozen=True):
    """A terminal's size in character cells."""

    rows: int = 24
    cols: int = 80


class SpawnRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One program to run, with nothing left to decide."""

    argv: tuple[str, ...]
    cwd: str
    """Absolute."""
    env: Mapping[str, str]
    """The whole environment, as it is made of this machine's."""
    variables: Variables | None = None
    """The same for another machine, where its service can make it of what is there."""
    tty: TtySize | None = None
    """A pseudo-terminal of this size, stdin open; None means separate pipes."""
    stdin: Literal["closed", "open"] = "closed"
    """Only for pipes. Closed reads as an immediate end of file."""
    arg0: str | None = None
    """What the program sees as its own name, if not `argv[0]`."""
    inherited_data: Mapping[int, bytes] = {}
    """Descriptor number (3 or more) → what can be read from it, for instance a seccomp program."""
    mount_points: tuple[str, ...] = ()
    """Directories that must exist while it runs; those made for it are removed afterwards."""
    claims_terminal: bool = False
    """The program takes the terminal as its own; it is handed over without an owner."""
    sandbox: SandboxDemand | None = None
    """To be applied where it runs; only where the service is who confines."""


class OutputChunk(msgspec.Struct, frozen=True):
    """Bytes a command wrote. Chunks of one stream are in order; `seq` counts over all streams."""

    stream: OutputStream
    encoded: str
    """In base64, as they travel: who passes them on need not decode them."""
    seq: int

    @property
    def data(self) -> bytes:
        """Decoded anew each time. Raises `msgspec.ValidationError` if they are not base64."""
        return msgspec.convert(self.encoded, bytes)

    @property
    def size_bytes(self) -> int:
        """The length of `data`."""
        return len(self.encoded) // 4 * 3 - self.encoded[-2:].count("=")


class ExitStatus(msgspec.Struct, frozen=True):
    """How a process ended: by its own code, or by a signal. Both None if that is not known."""

    code: int | None = None
    signal: int | None = None
    sandbox_denied: bool | None = None
    """Whether the sandbox most likely made it fail, as the process service sees it; None where it
    applied none, or does not tell."""

    @property
    def is_known(self) -> bool:
        return self.code is not None or self.signal is not None

    @property
    def shell_code(self) -> int:
        """The code as a shell reports it: 128 + signal for a killed process, -1 if unknown."""
        if self.code is not None:
            return self.code
        return -1 if self.signal is None else 128 + self.signal


class RunningProcess(Protocol):
    """A started process. Output must be read or discarded: unread output holds the others up."""

    @property
    def pid(self) -> int | None:
        """Its process id where it runs, if known. For display only."""
        ...

    def output(self) -> AsyncIterator[OutputChunk]:
        """Everything it writes, to the end of its streams. To be iterated once."""
        ...

    @property
    def is_held_up(self) -> bool:
        """Whether it was asked to wait because its output is not read."""
        ...

    @property
    def has_unread_output(self) -> bool:
        """Whether something waits to be read now."""
        ...

    def discard_output(self) -> None:
        """Throw away what is not read yet and what is still to come."""
        ...

    async def write(self, data: bytes) -> None:
        """Give it input. Raises `StdinClosed`, or `EnvironmentLost`."""
        ...

    async def close_stdin(self) -> None:
        """End its input (pipes with open stdin)."""
        ...

    async def resize(self, rows: int, cols: int) -> None:
        """Tell it that its terminal has another size."""
        ...

    async def terminate(self, grace_seconds: float = 2.0) -> None:
        """End its whole tree: politely, and after the grace by force. Returns at once."""
        ...

    async def kill(self) -> None:
        """End its whole tree by force, now."""
        ...

    async def wait(self) -> ExitStatus:
        """How it ended. What it wrote before is already in `output()` by then."""
        ...


class Environment(Protocol):
    """A place where programs can be run."""

    async def spawn(self, request: SpawnRequest) -> RunningProcess:
        """Start a program. Raises `CommandNotStarted` or `EnvironmentLost`."""
        ...

    async def confiner(self) -> Confiner:
        """Who puts sandboxes around commands there. Raises `EnvironmentLost`."""
        ...

    async def files(self) -> RemoteFiles | None:
        """Its files; None where they are those of this machine. Raises `EnvironmentLost`."""
        ...

    async def prewarm(self) -> None:
        """Get ready, so that the first command does not wait for it. Never raises."""
        ...

    async def close(self) -> None:
        """End everything it runs, and itself."""
        ...
