"""Why a turn failed."""

from typing import Literal, TypeAlias

from app_server.protocol.shared import Unsigned16
from app_server.protocol.wire import SingleKey, Wire

NonSteerableTurnKind: TypeAlias = Literal["review", "compact"]


class HttpStatus(Wire):
    http_status_code: Unsigned16 | None = None


class ActiveTurnNotSteerable(Wire):
    turn_kind: NonSteerableTurnKind


class DetailedCodexErrorInfo(SingleKey):
    """An error kind that carries a detail."""

    http_connection_failed: HttpStatus | None = None
    response_stream_connection_failed: HttpStatus | None = None
    response_stream_disconnected: HttpStatus | None = None
    response_too_many_failed_attempts: HttpStatus | None = None
    active_turn_not_steerable: ActiveTurnNotSteerable | None = None


CodexErrorInfo: TypeAlias = (
    Literal[
        "contextWindowExceeded",
        "usageLimitExceeded",
        "serverOverloaded",
        "cyberPolicy",
        "internalServerError",
        "unauthorized",
        "badRequest",
        "threadRollbackFailed",
        "sandboxError",
        "other",
    ]
    | DetailedCodexErrorInfo
)
"""What kind of failure ended or disturbed a turn."""


class TurnError(Wire):
    """Why a turn failed, for a person and for a program."""

    message: str
    codex_error_info: CodexErrorInfo | None = None
    additional_details: str | None = None
