"""Records in the SDK's terms. The only module that imports it (0.9 s)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from app_server.telemetry.records import Record

if TYPE_CHECKING:
    from app_server.telemetry.otel import OtelSettings, Target

EXPORT_TIMEOUT_SECONDS = 5.0
NANOSECONDS = 1_000_000_000
TURN = "codex.turn"
PRIVATE = ("prompt", "conversation.id", "call_id", "turn_id")
"""Attributes that would make a series of figures for each of their values."""


class Exporters:
    """The providers that were asked for."""

    def __init__(self, settings: OtelSettings, service: str, version: str) -> None:
        resource = Resource.create(
            {"service.name": service, "service.version": version, "env": settings.environment}
        )
        self._logs = self._traces = self._metrics = None
        self._instruments: dict[str, Any] = {}
        if settings.logs is not None:
            self._logs = LoggerProvider(resource, shutdown_on_exit=False)
            logs = OTLPLogExporter(**_options(settings.logs))
            self._logs.add_log_record_processor(BatchLogRecordProcessor(logs))
        if settings.traces is not None:
            self._traces = TracerProvider(resource=resource, shutdown_on_exit=False)
            spans = OTLPSpanExporter(**_options(settings.traces))
            self._traces.add_span_processor(BatchSpanProcessor(spans))
        if settings.metrics is not None:
            figures = OTLPMetricExporter(**_options(settings.metrics))
            reader = PeriodicExportingMetricReader(figures)
            self._metrics = MeterProvider([reader], resource, shutdown_on_exit=False)

    def take(self, record: Record) -> None:
        ended_at = int(record.at * NANOSECONDS)
        if self._logs is not None:
            self._logs.get_logger("codex").emit(
                timestamp=ended_at,
                severity_number=SeverityNumber.INFO,
                severity_text="INFO",
                body=record.name,
                event_name=record.name,
                attributes=_with_duration(record),
            )
        if self._traces is not None and record.name == TURN and record.duration_ms is not None:
            began_at = ended_at - record.duration_ms * 1_000_000
            span = self._traces.get_tracer("codex").start_span(
                TURN, attributes=record.attributes, start_time=began_at
            )
            span.end(ended_at)
        if self._metrics is not None:
            self._count(record)

    def close(self) -> None:
        """Send what is left and end the SDK's threads."""
        for provider in (self._logs, self._traces, self._metrics):
            if provider is not None:
                provider.shutdown()

    def _count(self, record: Record) -> None:
        attributes = {k: v for k, v in record.attributes.items() if k not in PRIVATE}
        figures = {k: v for k, v in attributes.items() if k.endswith(("_count", "_length", "_ms"))}
        labels = {k: v for k, v in attributes.items() if k not in figures}
        self._counter(record.name).add(1, labels)
        for name, figure in figures.items():
            self._histogram(f"{record.name}.{name}").record(figure, labels)
        if record.duration_ms is not None:
            self._histogram(f"{record.name}.duration_ms").record(record.duration_ms, labels)

    def _counter(self, name: str) -> Any:
        return self._instrument(name, "create_counter")

    def _histogram(self, name: str) -> Any:
        return self._instrument(name, "create_histogram")

    def _instrument(self, name: str, make: str) -> Any:
        if name not in self._instruments:
            assert self._metrics is not None
            self._instruments[name] = getattr(self._metrics.get_meter("codex"), make)(name)
        return self._instruments[name]


def _with_duration(record: Record) -> dict[str, Any]:
    if record.duration_ms is None:
        return dict(record.attributes)
    return {**record.attributes, "duration_ms": record.duration_ms}


def _options(target: Target) -> dict[str, Any]:
    return {
        "endpoint": target.endpoint,
        "headers": dict(target.headers),
        "certificate_file": target.ca_certificate,
        "client_certificate_file": target.client_certificate,
        "client_key_file": target.client_private_key,
        "timeout": EXPORT_TIMEOUT_SECONDS,
    }
