"""Reports to the makers."""

from app_server.protocol.method import ClientMethod
from app_server.protocol.wire import Wire


class FeedbackUploadParams(Wire):
    """Send a report to the makers."""

    classification: str
    reason: str | None = None
    thread_id: str | None = None
    include_logs: bool
    extra_log_files: list[str] | None = None
    tags: dict[str, str] | None = None


class FeedbackUploadResponse(Wire):
    thread_id: str


FEEDBACK_UPLOAD = ClientMethod("feedback/upload", FeedbackUploadParams, FeedbackUploadResponse)
