"""Models and what they can do."""

from typing import Literal, TypeAlias

import msgspec

from app_server.protocol.method import ClientMethod, ServerNotification
from app_server.protocol.shared import ReasoningEffort, Unsigned32
from app_server.protocol.wire import Wire

InputModality: TypeAlias = Literal["text", "image"]


class ReasoningEffortOption(Wire):
    reasoning_effort: ReasoningEffort
    description: str


class ModelUpgradeInfo(Wire):
    model: str
    upgrade_copy: str | None = None
    model_link: str | None = None
    migration_markdown: str | None = None


class ModelAvailabilityNux(Wire):
    """A note for people who see the model for the first time."""

    message: str


class Model(Wire):
    """A model that can be chosen."""

    id: str
    model: str
    upgrade: str | None = None
    upgrade_info: ModelUpgradeInfo | None = None
    availability_nux: ModelAvailabilityNux | None = None
    display_name: str
    description: str
    hidden: bool
    supported_reasoning_efforts: list[ReasoningEffortOption]
    default_reasoning_effort: ReasoningEffort
    input_modalities: list[InputModality] = msgspec.field(default_factory=lambda: ["text", "image"])
    supports_personality: bool = False
    additional_speed_tiers: list[str] = []
    is_default: bool


class ModelListParams(Wire):
    cursor: str | None = None
    include_hidden: bool | None = None
    limit: Unsigned32 | None = None


class ModelListResponse(Wire):
    data: list[Model]
    next_cursor: str | None = None


class ModelProviderCapabilitiesReadParams(Wire): ...


class ModelProviderCapabilitiesReadResponse(Wire):
    image_generation: bool
    namespace_tools: bool
    web_search: bool


ModelRerouteReason: TypeAlias = Literal["highRiskCyberActivity"]


class ModelReroutedNotification(Wire):
    """The service answered with another model than asked for."""

    thread_id: str
    turn_id: str
    from_model: str
    to_model: str
    reason: ModelRerouteReason


ModelVerification: TypeAlias = Literal["trustedAccessForCyber"]


class ModelVerificationNotification(Wire):
    thread_id: str
    turn_id: str
    verifications: list[ModelVerification]


MODEL_LIST = ClientMethod("model/list", ModelListParams, ModelListResponse)
MODEL_PROVIDER_CAPABILITIES_READ = ClientMethod(
    "modelProvider/capabilities/read",
    ModelProviderCapabilitiesReadParams,
    ModelProviderCapabilitiesReadResponse,
)
MODEL_REROUTED = ServerNotification("model/rerouted", ModelReroutedNotification)
MODEL_VERIFICATION = ServerNotification("model/verification", ModelVerificationNotification)
