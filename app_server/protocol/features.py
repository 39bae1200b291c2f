"""Experimental features and their switches."""

from typing import Literal, TypeAlias

from app_server.protocol.method import ClientMethod, in_queue
from app_server.protocol.shared import Unsigned32
from app_server.protocol.wire import Wire

ExperimentalFeatureStage: TypeAlias = Literal[
    "beta", "underDevelopment", "stable", "deprecated", "removed"
]


class ExperimentalFeature(Wire):
    name: str
    stage: ExperimentalFeatureStage
    display_name: str | None = None
    description: str | None = None
    announcement: str | None = None
    enabled: bool
    default_enabled: bool


class ExperimentalFeatureListParams(Wire):
    cursor: str | None = None
    limit: Unsigned32 | None = None


class ExperimentalFeatureListResponse(Wire):
    data: list[ExperimentalFeature]
    next_cursor: str | None = None


class ExperimentalFeatureEnablementSetParams(Wire):
    """Switch features for the life of this process."""

    enablement: dict[str, bool]


class ExperimentalFeatureEnablementSetResponse(Wire):
    enablement: dict[str, bool]


class MockExperimentalMethodParams(Wire):
    """Does nothing; shows whether experimental methods are open."""

    value: str | None = None


class MockExperimentalMethodResponse(Wire):
    echoed: str | None = None


EXPERIMENTAL_FEATURE_LIST = ClientMethod(
    "experimentalFeature/list",
    ExperimentalFeatureListParams,
    ExperimentalFeatureListResponse,
    queue=in_queue("config"),
    shared=True,
)
EXPERIMENTAL_FEATURE_ENABLEMENT_SET = ClientMethod(
    "experimentalFeature/enablement/set",
    ExperimentalFeatureEnablementSetParams,
    ExperimentalFeatureEnablementSetResponse,
    queue=in_queue("config"),
)
MOCK_EXPERIMENTAL_METHOD = ClientMethod(
    "mock/experimentalMethod",
    MockExperimentalMethodParams,
    MockExperimentalMethodResponse,
    experimental=True,
)
