"""Settings of a process service."""

from __future__ import annotations

import msgspec

from app_server.exec_server.output import RETAINED_BYTES


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a service."""

    retained_output_bytes_per_process: int = RETAINED_BYTES
    shutdown_grace_period_ms: int = 500
    """Between the polite and the hard signal when a connection ends."""
    terminate_grace_period_ms: int = 2000
    """The same for a `process/terminate` that names no mode."""
    max_processes_per_connection: int = 1024
    """Running ones; those that ended and can still be read do not count."""
    max_inherited_bytes: int = 1024 * 1024
    allow_direct_exec: bool = True
    """Whether a start may give any command, as v0 does."""
    allow_prepared_exec: bool = True
    """Whether a start may give a request that somebody has resolved."""
    detached_session_seconds: float = 10.0
    """How long a session waits for its client to come back."""
    detached_session_seconds_since_0_169: float = 30.0
    """The same for clients that name places by URI."""
