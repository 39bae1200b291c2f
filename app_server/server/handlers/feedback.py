"""Reports about trouble, kept as files."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from app_server import ids
from app_server.protocol.errors import InternalError, InvalidRequest
from app_server.protocol.feedback import (
    FEEDBACK_UPLOAD,
    FeedbackUploadParams,
    FeedbackUploadResponse,
)
from app_server.server.context import RequestContext
from app_server.server.registry import handles
from app_server.server.services import Services
from app_server.threads.thread_ids import check_id
from app_server.version import __version__

log = logging.getLogger(__name__)


@handles(FEEDBACK_UPLOAD)
async def upload(ctx: RequestContext, params: FeedbackUploadParams) -> FeedbackUploadResponse:
    services = ctx.services
    config = await asyncio.to_thread(services.current_config)
    if not config.feedback_enabled:
        raise InvalidRequest("sending feedback is disabled by configuration")
    if not params.classification.strip():
        raise InvalidRequest("classification must not be empty")
    if params.thread_id is not None:
        check_id(params.thread_id)
    tracking_id = params.thread_id or f"no-active-thread-{ids.uuid7()}"
    try:
        await asyncio.to_thread(_save, services, config.log_dir, params, tracking_id)
    except OSError as error:
        raise InternalError(
            f"the report cannot be written below {services.codex_home / 'feedback'}: "
            f"{error.strerror or error}"
        ) from error
    return FeedbackUploadResponse(thread_id=tracking_id)


def _save(
    services: Services, log_folder: Path, params: FeedbackUploadParams, tracking_id: str
) -> None:
    from app_server.telemetry.feedback import Report, save_report

    attachments = [Path(path) for path in params.extra_log_files or []]
    if params.include_logs:
        attachments += _logs(services, log_folder, params.thread_id)
    report = Report(
        tracking_id=tracking_id,
        classification=params.classification,
        reason=params.reason,
        thread_id=params.thread_id,
        tags=params.tags or {},
        version=__version__,
    )
    log.info("report kept in %s", save_report(services.codex_home, report, attachments))


def _logs(services: Services, log_folder: Path, thread_id: str | None) -> list[Path]:
    """Our log and the thread's file, where they exist."""
    from app_server.storage.files import find

    found = [log_folder / "codex.log"]
    thread = None if thread_id is None else find(services.codex_home, thread_id)
    return [path for path in (*found, thread) if path is not None and path.exists()]
