"""Reading and writing the configuration."""

from typing import Any, Literal, TypeAlias

from app_server.protocol.method import ClientMethod, in_queue
from app_server.protocol.shared import AbsolutePathBuf, PathParam
from app_server.protocol.wire import JsonObject, Wire


class MdmConfigLayerSource(Wire, tag="mdm"):
    domain: str
    key: str


class SystemConfigLayerSource(Wire, tag="system"):
    file: AbsolutePathBuf


class UserConfigLayerSource(Wire, tag="user"):
    file: AbsolutePathBuf


class ProjectConfigLayerSource(Wire, tag="project"):
    dot_codex_folder: AbsolutePathBuf


class SessionFlagsConfigLayerSource(Wire, tag="sessionFlags"): ...


class LegacyManagedConfigTomlFromFileConfigLayerSource(Wire, tag="legacyManagedConfigTomlFromFile"):
    file: AbsolutePathBuf


class LegacyManagedConfigTomlFromMdmConfigLayerSource(
    Wire, tag="legacyManagedConfigTomlFromMdm"
): ...


ConfigLayerSource: TypeAlias = (
    MdmConfigLayerSource
    | SystemConfigLayerSource
    | UserConfigLayerSource
    | ProjectConfigLayerSource
    | SessionFlagsConfigLayerSource
    | LegacyManagedConfigTomlFromFileConfigLayerSource
    | LegacyManagedConfigTomlFromMdmConfigLayerSource
)
"""Where settings come from."""


class ConfigLayerMetadata(Wire):
    name: ConfigLayerSource
    version: str


class ConfigLayer(Wire, omit_defaults=True):
    name: ConfigLayerSource
    version: str
    config: Any
    disabled_reason: str | None = None


class ConfigReadParams(Wire):
    cwd: PathParam | None = None
    include_layers: bool = False


ConfigObject: TypeAlias = JsonObject
"""The keys of `Config`, and any others."""


class ConfigReadResponse(Wire, omit_defaults=True):
    """The effective settings, and for each key the layer that decided it."""

    config: ConfigObject
    origins: dict[str, ConfigLayerMetadata]
    layers: list[ConfigLayer] | None = None


MergeStrategy: TypeAlias = Literal["replace", "upsert"]


class ConfigValueWriteParams(Wire):
    key_path: str
    value: Any
    merge_strategy: MergeStrategy
    file_path: str | None = None
    expected_version: str | None = None


class ConfigEdit(Wire):
    """One change; null as value deletes the key."""

    key_path: str
    value: Any
    merge_strategy: MergeStrategy


class ConfigBatchWriteParams(Wire):
    """Several changes, all or none."""

    edits: list[ConfigEdit]
    file_path: str | None = None
    expected_version: str | None = None
    reload_user_config: bool = False


WriteStatus: TypeAlias = Literal["ok", "okOverridden"]


class OverriddenMetadata(Wire):
    effective_value: Any
    message: str
    overriding_layer: ConfigLayerMetadata


class ConfigWriteResponse(Wire):
    """The file as it is now; `okOverridden` means that a higher layer still decides."""

    status: WriteStatus
    version: str
    file_path: AbsolutePathBuf
    overridden_metadata: OverriddenMetadata | None = None


CONFIG_READ = ClientMethod(
    "config/read", ConfigReadParams, ConfigReadResponse, queue=in_queue("config"), shared=True
)
CONFIG_VALUE_WRITE = ClientMethod(
    "config/value/write", ConfigValueWriteParams, ConfigWriteResponse, queue=in_queue("config")
)
CONFIG_BATCH_WRITE = ClientMethod(
    "config/batchWrite", ConfigBatchWriteParams, ConfigWriteResponse, queue=in_queue("config")
)
