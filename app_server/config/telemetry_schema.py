"""The keys of what leaves the machine about its use: OpenTelemetry, analytics, feedback."""

from __future__ import annotations

from app_server.config.kinds import FLAG, TEXT, TEXT_MAP, NameOrTable, OneOf, Section

ANALYTICS = Section("AnalyticsConfigToml", {"enabled": FLAG})
FEEDBACK = Section("FeedbackConfigToml", {"enabled": FLAG})

_TLS = Section(
    "OtelTlsConfig",
    {"ca-certificate": TEXT, "client-certificate": TEXT, "client-private-key": TEXT},
)
_EXPORTER = NameOrTable(
    OneOf(("none", "statsig", "otlp-http", "otlp-grpc")),
    {
        "otlp-http": Section(
            "OtlpHttp",
            {
                "endpoint": TEXT,
                "headers": TEXT_MAP,
                "protocol": OneOf(("binary", "json")),
                "tls": _TLS,
            },
            required=("endpoint", "protocol"),
        ),
        "otlp-grpc": Section(
            "OtlpGrpc",
            {"endpoint": TEXT, "headers": TEXT_MAP, "tls": _TLS},
            required=("endpoint",),
        ),
    },
)

OTEL = Section(
    "OtelConfigToml",
    {
        "environment": TEXT,
        "exporter": _EXPORTER,
        "trace_exporter": _EXPORTER,
        "metrics_exporter": _EXPORTER,
        "log_user_prompt": FLAG,
    },
)
