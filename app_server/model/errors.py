"""What the service can answer instead of tokens.

    ModelError
    ├── StreamBroken            unreachable, cut, silent, or ended without its end     retryable
    ├── UnexpectedStatus        an HTTP status nobody planned for                      retryable
    ├── ServerTrouble           HTTP 500, also after the request's own retries         retryable
    ├── TooManyRequests         HTTP 429 of no particular kind
    ├── RefusedRequest          the request itself is wrong, or its content refused
    ├── ContextWindowExceeded   the history no longer fits
    ├── QuotaExceeded           nothing left to spend
    ├── UsageNotIncluded        the plan does not include Codex
    ├── UsageLimitReached       the plan's limit is used up
    ├── Overloaded              the model is at capacity
    ├── Unauthorized            signed out, or signed in with something the service refuses
    └── MissingKey              the provider's key is not set

`message` is what the user reads and what clients compare, so it is worded as `codex` words it;
`retryable` says whether the sampling loop may send the request again. Knows no HTTP client.
"""

from __future__ import annotations

from typing import ClassVar

from app_server.protocol.rate_limits import RateLimitSnapshot
from app_server.protocol.turn_error import CodexErrorInfo, DetailedCodexErrorInfo, HttpStatus


class ModelError(Exception):
    """The service did not answer with tokens."""

    retryable: ClassVar[bool] = False
    names_status_while_retrying: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        http_status: int | None = None,
        retry_after_seconds: float | None = None,
        said: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.said = said
        """What the service said, on one line, where `message` leaves it out."""
        self.http_status = http_status
        self.retry_after_seconds = retry_after_seconds
        """How long the service asked us to wait."""

    def __str__(self) -> str:
        return self.message

    @property
    def info(self) -> CodexErrorInfo:
        """What clients are told when this ends the turn."""
        return "other"

    @property
    def retry_info(self) -> CodexErrorInfo:
        """What clients are told while the request is being sent again."""
        status = self.http_status if self.names_status_while_retrying else None
        return DetailedCodexErrorInfo(
            response_stream_disconnected=HttpStatus(http_status_code=status)
        )


class StreamBroken(ModelError):
    """The answer could not be had or did not come to its end."""

    retryable = True

    def __init__(self, cause: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(
            f"stream disconnected before completion: {cause}",
            retry_after_seconds=retry_after_seconds,
        )
        self.cause = cause


class UnexpectedStatus(ModelError):
    """An HTTP status nobody planned for; the message carries what the service said and its URL."""

    retryable = True
    names_status_while_retrying = True


class ServerTrouble(ModelError):
    """The service failed inside."""

    retryable = True

    def __init__(
        self, *, http_status: int, retry_after_seconds: float | None = None, said: str = ""
    ) -> None:
        super().__init__(
            "We're currently experiencing high demand, which may cause temporary errors.",
            http_status=http_status,
            retry_after_seconds=retry_after_seconds,
            said=said,
        )

    @property
    def info(self) -> CodexErrorInfo:
        return "internalServerError"


class TooManyRequests(ModelError):
    """Refused for asking too often; asking again at once would make it worse."""

    def __init__(self, *, retry_after_seconds: float | None = None, said: str = "") -> None:
        super().__init__(
            "exceeded retry limit, last status: 429 Too Many Requests",
            http_status=429,
            retry_after_seconds=retry_after_seconds,
            said=said,
        )

    @property
    def info(self) -> CodexErrorInfo:
        return DetailedCodexErrorInfo(
            response_too_many_failed_attempts=HttpStatus(http_status_code=429)
        )


class RefusedRequest(ModelError):
    """The service will not serve this request, however often it is sent."""

    def __init__(
        self, message: str, *, http_status: int | None = None, for_cyber_policy: bool = False
    ) -> None:
        super().__init__(message, http_status=http_status)
        self.for_cyber_policy = for_cyber_policy

    @property
    def info(self) -> CodexErrorInfo:
        return "cyberPolicy" if self.for_cyber_policy else "other"


class ContextWindowExceeded(ModelError):
    """The history no longer fits."""

    def __init__(self) -> None:
        super().__init__(
            "Codex ran out of room in the model's context window. Start a new thread or clear "
            "earlier history before retrying."
        )

    @property
    def info(self) -> CodexErrorInfo:
        return "contextWindowExceeded"


class QuotaExceeded(ModelError):
    """Nothing left to spend."""

    def __init__(self, *, said: str = "") -> None:
        super().__init__("Quota exceeded. Check your plan and billing details.", said=said)

    @property
    def info(self) -> CodexErrorInfo:
        return "usageLimitExceeded"


class UsageNotIncluded(ModelError):
    """The plan does not include Codex."""

    def __init__(self, *, http_status: int | None = None) -> None:
        super().__init__(
            "To use Codex with your ChatGPT plan, upgrade to Plus: "
            "https://chatgpt.com/explore/plus.",
            http_status=http_status,
        )

    @property
    def info(self) -> CodexErrorInfo:
        return "usageLimitExceeded"


class UsageLimitReached(ModelError):
    """The plan's limit is used up until `resets_at` (Unix seconds)."""

    def __init__(
        self, message: str, *, resets_at: int | None, snapshot: RateLimitSnapshot | None
    ) -> None:
        super().__init__(message, http_status=429)
        self.resets_at = resets_at
        self.snapshot = snapshot
        """The limits the refusal reported."""

    @property
    def info(self) -> CodexErrorInfo:
        return "usageLimitExceeded"


class Overloaded(ModelError):
    """The model is at capacity."""

    def __init__(self, *, http_status: int | None = None, said: str = "") -> None:
        super().__init__(
            "Selected model is at capacity. Please try a different model.",
            http_status=http_status,
            said=said,
        )

    @property
    def info(self) -> CodexErrorInfo:
        return "serverOverloaded"


class Unauthorized(ModelError):
    """Signed out, or signed in with something the service refuses; asking again changes nothing."""

    @property
    def info(self) -> CodexErrorInfo:
        return "unauthorized"


class MissingKey(ModelError):
    """The variable that should hold the provider's key is unset or blank."""
