"""What went wrong inside, as callers are told: the one table from domain errors to wire codes.

Services raise errors of their own; they know no codes. An error listed here, or derived from one
listed here, becomes an answer with its message. The table names classes instead of importing them,
so it costs nothing until something goes wrong. An error not listed is a defect: its caller learns
that the server failed, and the log has the rest.
"""

from __future__ import annotations

import logging

from app_server.protocol.errors import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    InvalidRequest,
    RpcError,
    rpc_error,
)

log = logging.getLogger(__name__)

CODES: dict[str, int] = {
    "app_server.threads.errors.ThreadError": INVALID_REQUEST,
    "app_server.agent.errors.AgentError": INVALID_REQUEST,
    "app_server.config.errors.ConfigUnreadable": INTERNAL_ERROR,
    "app_server.config.errors.ConfigError": INVALID_REQUEST,
    "app_server.storage.errors.StorageError": INTERNAL_ERROR,
    "app_server.auth.errors.AuthError": INVALID_REQUEST,
    "app_server.model.errors.ModelError": INTERNAL_ERROR,
    "app_server.exec.errors.ExecError": INTERNAL_ERROR,
    "app_server.paths.InvalidPath": INVALID_PARAMS,
}
"""Error class → the code its message travels with. An error's own `rpc_data` goes along as data."""


def as_rpc_error(method: str, error: Exception) -> RpcError:
    """The answer to a call of `method` that ended with `error`."""
    if isinstance(error, RpcError):
        return error
    for kind in type(error).__mro__:
        code = CODES.get(f"{kind.__module__}.{kind.__qualname__}")
        if code is not None:
            return rpc_error(code, str(error), getattr(error, "rpc_data", None))
    if isinstance(error, ValueError) and str(error).startswith("embedded null"):
        return InvalidRequest(f"`{method}`: a NUL character where a path or name is expected")
    log.error("%s failed", method, exc_info=error)
    return rpc_error(INTERNAL_ERROR, f"`{method}` failed inside the server; its log says why")
