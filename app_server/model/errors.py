"""What the service can answer instead of tokens.

    ModelError
    ├── StreamBroken            cut, silent, or ended without its end     retry the turn's request
    ├── IncompleteResponse      the model stopped early                   retry
    ├── RateLimited             asked to slow down, with a delay          retry after it
    ├── ConnectionFailed        could not be reached                      retry
    ├── UnexpectedStatus        an HTTP status nobody planned for         retry
    ├── ServerTrouble           HTTP 5xx after the request's own retries  retry
    ├── ContextWindowExceeded   the history no longer fits
    ├── QuotaExceeded           nothing left to spend
    ├── UsageNotIncluded        the plan does not include Codex
    ├── UsageLimitReached       the plan's limit is used up
    ├── Overloaded              the model is at capacity
    ├── RefusedRequest          the request itself is wrong (HTTP 400, invalid prompt)
    ├── TooManyRequests         HTTP 429 of no particular kind
    └── NotSignedIn             no usable credentials

`message` is what the user reads and what clients compare; `retryable` says whether the sampling
loop may send the request again. Knows no HTTP client.
"""

from __future__ import annotations

from app_server.protocol.turn_error import CodexErrorInfo, DetailedCodexErrorInfo, HttpStatus


class ModelError(Exception):
    """The service did not answer with tokens."""

    retryable = False
    info: CodexErrorInfo = "other"

    def __init__(
        self,
        message: str,
        *,
        http_status: int | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.http_status = http_status
        self.retry_after_seconds = retry_after_seconds
        """How long the service asked us to wait."""

    @property
    def retry_info(self) -> CodexErrorInfo:
        """What clients are told while the request is being sent again."""
        return DetailedCodexErrorInfo(
            response_stream_disconnected=HttpStatus(http_status_code=self.http_status)
        )
