"""Sends records to an OpenTelemetry collector: log events, a span for each turn, figures.

Off unless the settings name an exporter. The SDK is an extra, `codex-in-python[otel]`, and takes
most of a second to import, so that happens on a thread of its own; records made meanwhile wait.
The SDK collects in the background and gives up on a collector that does not answer.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import msgspec

from app_server.telemetry.records import Record
from app_server.version import __version__

if TYPE_CHECKING:
    from app_server.telemetry.otel_sdk import Exporters

log = logging.getLogger(__name__)

SERVICE_NAME = "codex_python"
WAITING_RECORDS = 10_000
"""Records kept while the SDK is being imported; the oldest go first."""

CLOSE_SECONDS = 2.0
"""How long the end of the program may wait for a collector."""


class OtelInvalid(Exception):
    """A table of settings that cannot be followed; the message says what is wrong in it."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One collector."""

    endpoint: str
    headers: Mapping[str, str] = {}
    ca_certificate: str | None = None
    client_certificate: str | None = None
    client_private_key: str | None = None


class OtelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where each kind goes; None: nowhere."""

    environment: str
    logs: Target | None
    traces: Target | None
    metrics: Target | None
    with_prompts: bool

    @property
    def is_on(self) -> bool:
        return not self.logs == self.traces == self.metrics is None


def read_settings(table: Mapping[str, Any]) -> OtelSettings:
    """The settings of an `[otel]` table whose types were checked. Raises `OtelInvalid`."""
    settings = OtelSettings(
        environment=table.get("environment", "dev"),
        logs=_target("exporter", table.get("exporter")),
        traces=_target("trace_exporter", table.get("trace_exporter")),
        metrics=_target("metrics_exporter", table.get("metrics_exporter")),
        with_prompts=table.get("log_user_prompt", False),
    )
    if settings.is_on and find_spec("opentelemetry.exporter") is None:
        raise OtelInvalid(
            "the OpenTelemetry SDK is not installed; "
            "run `pip install 'codex-in-python[otel]'` or remove the exporters"
        )
    return settings


def _target(key: str, written: Any) -> Target | None:
    if written is None or written in ("none", "statsig"):
        return None
    if not isinstance(written, Mapping) or "otlp-http" not in written:
        raise OtelInvalid(f"{key}: only `otlp-http` is supported, as a table with an endpoint")
    table = written["otlp-http"]
    if table.get("protocol") == "json":
        raise OtelInvalid(f"{key}: the protocol `json` is not supported; use `binary`")
    endpoint = str(table["endpoint"])
    if not endpoint.startswith(("http://", "https://")):
        raise OtelInvalid(f"{key}: endpoint `{endpoint}` is no http:// or https:// address")
    tls = table.get("tls", {})
    return Target(
        endpoint=endpoint,
        headers=table.get("headers", {}),
        ca_certificate=tls.get("ca-certificate"),
        client_certificate=tls.get("client-certificate"),
        client_private_key=tls.get("client-private-key"),
    )


class Telemetry:
    """Takes records until it is closed; implements `records.Recorder`."""

    def __init__(self, settings: OtelSettings) -> None:
        self.with_prompts = settings.with_prompts
        self._settings = settings
        self._waiting: deque[Record] = deque(maxlen=WAITING_RECORDS)
        self._lock = threading.Lock()
        self._exporters: Exporters | None = None
        self._opening = threading.Thread(target=self._open, name="telemetry", daemon=True)
        self._opening.start()

    def take(self, record: Record) -> None:
        with self._lock:
            if self._exporters is None:
                self._waiting.append(record)
            else:
                self._exporters.take(record)

    def close(self) -> None:
        """Send what is left, within `CLOSE_SECONDS`. Blocks; call it off the loop."""
        self._opening.join(CLOSE_SECONDS)
        with self._lock:
            exporters, self._exporters = self._exporters, None
        if exporters is not None:
            ending = threading.Thread(target=exporters.close, name="telemetry-end", daemon=True)
            ending.start()
            ending.join(CLOSE_SECONDS)

    def _open(self) -> None:
        try:
            from app_server.telemetry.otel_sdk import Exporters

            exporters = Exporters(self._settings, SERVICE_NAME, __version__)
        except Exception:
            log.exception("telemetry could not be set up; nothing is sent")
            return
        with self._lock:
            while self._waiting:
                exporters.take(self._waiting.popleft())
            self._exporters = exporters
