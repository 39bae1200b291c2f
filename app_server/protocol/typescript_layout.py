"""Where each type lies among the TypeScript files, and types that have a name only there.

Programs import types by file, and the original's files do not follow its JSON Schema: these tables
say where the two differ. Data, and one question about it.
"""

from collections.abc import Sequence
from typing import NamedTuple

from app_server.protocol.schema_types import Schema


class Place(NamedTuple):
    """A file: its folder ("" is the top) and its name, which is also the type's."""

    folder: str
    name: str


JSON_VALUE = Place("serde_json", "JsonValue")
"""What may be any JSON."""

_AT_TOP_WORDS = (
    "AbsolutePathBuf AgentPath AuthMode CollaborationMode ContentItem ForcedLoginMethod "
    "FunctionCallOutputBody FunctionCallOutputContentItem ImageDetail InputModality "
    "LocalShellAction LocalShellStatus MessagePhase ModeKind Personality PlanType "
    "RealtimeConversationVersion RealtimeOutputModality RealtimeVoice RealtimeVoicesList "
    "ReasoningEffort ReasoningItemContent ReasoningItemReasoningSummary ReasoningSummary Resource "
    "ResourceContent ResourceTemplate ResponseItem ServiceTier Settings SubAgentSource ThreadId "
    "ThreadMemoryMode Tool Verbosity WebSearchContextSize WebSearchLocation WebSearchMode "
    "WebSearchToolConfig"
)
_AT_TOP = frozenset(_AT_TOP_WORDS.split())
"""Of the schema's v2, and not among the files below `v2`."""

_BELOW_V2_WORDS = (
    "AdditionalPermissionProfile ChatgptAuthTokensRefreshParams ChatgptAuthTokensRefreshReason "
    "ChatgptAuthTokensRefreshResponse CommandExecutionApprovalDecision "
    "CommandExecutionRequestApprovalParams CommandExecutionRequestApprovalResponse "
    "DynamicToolCallParams DynamicToolCallResponse FileChangeApprovalDecision "
    "FileChangeRequestApprovalParams FileChangeRequestApprovalResponse GrantedPermissionProfile "
    "McpElicitationConstOption McpElicitationEnumItems McpElicitationObjectType "
    "McpElicitationPrimitiveSchema McpElicitationSchema McpElicitationStringFormat "
    "McpServerElicitationAction McpServerElicitationRequestParams "
    "McpServerElicitationRequestResponse NetworkApprovalContext PermissionGrantScope "
    "PermissionsRequestApprovalParams PermissionsRequestApprovalResponse "
    "ToolRequestUserInputAnswer ToolRequestUserInputOption ToolRequestUserInputParams "
    "ToolRequestUserInputQuestion ToolRequestUserInputResponse"
)
_BELOW_V2 = frozenset(_BELOW_V2_WORDS.split())
"""The other way round."""

_RENAMED = {Place("v2", "ResponsesApiWebSearchAction"): Place("", "WebSearchAction")}


def placed(folder: str, name: str) -> Place:
    """The file of the type that the schema has in that folder ("" or "v2")."""
    if (renamed := _RENAMED.get(Place(folder, name))) is not None:
        return renamed
    if folder == "v2" and name in _AT_TOP:
        return Place("", name)
    if folder == "" and name in _BELOW_V2:
        return Place("v2", name)
    return Place(folder, name)


def _v2(name: str) -> Schema:
    return {"$ref": f"#/definitions/v2/{name}"}


def _one_of(*names: str) -> Schema:
    return {"anyOf": [_v2(name) for name in names]}


def _elicited(kind: str, required: Sequence[str] = (), **properties: Schema) -> Schema:
    """A form's field of that kind; every field may have a title and a description."""
    fields = {"type": _v2(kind), "title": _TEXT, "description": _TEXT, **properties}
    return {"type": "object", "properties": fields, "required": ["type", *required]}


_TEXT: Schema = {"type": "string"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_NUMBER: Schema = {"type": "number"}
_OPTIONS: Schema = {"type": "array", "items": {"$ref": "#/definitions/McpElicitationConstOption"}}
_COUNTS: dict[str, Schema] = {"minItems": _NUMBER, "maxItems": _NUMBER, "default": _TEXTS}

ADDED: dict[Place, Schema] = {
    Place("", "ExecPolicyAmendment"): _TEXTS,
    Place("", "GitSha"): _TEXT,
    Place("", "InternalSessionSource"): {"enum": ["memory_consolidation"]},
    Place("", "LocalShellExecAction"): _v2("LocalShellAction"),
    Place("", "SessionSource"): _v2("SessionSource"),
    Place("v2", "ExecPolicyAmendment"): _TEXTS,
    Place("v2", "NetworkPolicyAmendment"): {"$ref": "#/definitions/NetworkPolicyAmendment"},
    Place("v2", "NetworkPolicyRuleAction"): {"$ref": "#/definitions/NetworkPolicyRuleAction"},
    Place("v2", "McpElicitationArrayType"): {"enum": ["array"]},
    Place("v2", "McpElicitationBooleanType"): {"enum": ["boolean"]},
    Place("v2", "McpElicitationNumberType"): {"enum": ["number", "integer"]},
    Place("v2", "McpElicitationStringType"): {"enum": ["string"]},
    Place("v2", "McpElicitationBooleanSchema"): _elicited(
        "McpElicitationBooleanType", default={"type": "boolean"}
    ),
    Place("v2", "McpElicitationNumberSchema"): _elicited(
        "McpElicitationNumberType", minimum=_NUMBER, maximum=_NUMBER, default=_NUMBER
    ),
    Place("v2", "McpElicitationStringSchema"): _elicited(
        "McpElicitationStringType",
        minLength=_NUMBER,
        maxLength=_NUMBER,
        format={"$ref": "#/definitions/McpElicitationStringFormat"},
        default=_TEXT,
    ),
    Place("v2", "McpElicitationLegacyTitledEnumSchema"): _elicited(
        "McpElicitationStringType", ["enum"], enum=_TEXTS, enumNames=_TEXTS, default=_TEXT
    ),
    Place("v2", "McpElicitationUntitledSingleSelectEnumSchema"): _elicited(
        "McpElicitationStringType", ["enum"], enum=_TEXTS, default=_TEXT
    ),
    Place("v2", "McpElicitationTitledSingleSelectEnumSchema"): _elicited(
        "McpElicitationStringType", ["oneOf"], oneOf=_OPTIONS, default=_TEXT
    ),
    Place("v2", "McpElicitationUntitledMultiSelectEnumSchema"): _elicited(
        "McpElicitationArrayType",
        ["items"],
        items=_v2("McpElicitationUntitledEnumItems"),
        **_COUNTS,
    ),
    Place("v2", "McpElicitationTitledMultiSelectEnumSchema"): _elicited(
        "McpElicitationArrayType", ["items"], items=_v2("McpElicitationTitledEnumItems"), **_COUNTS
    ),
    Place("v2", "McpElicitationUntitledEnumItems"): {
        "type": "object",
        "properties": {"type": _v2("McpElicitationStringType"), "enum": _TEXTS},
        "required": ["type", "enum"],
    },
    Place("v2", "McpElicitationTitledEnumItems"): {
        "type": "object",
        "properties": {"anyOf": _OPTIONS},
        "required": ["anyOf"],
    },
    Place("v2", "McpElicitationSingleSelectEnumSchema"): _one_of(
        "McpElicitationUntitledSingleSelectEnumSchema", "McpElicitationTitledSingleSelectEnumSchema"
    ),
    Place("v2", "McpElicitationMultiSelectEnumSchema"): _one_of(
        "McpElicitationUntitledMultiSelectEnumSchema", "McpElicitationTitledMultiSelectEnumSchema"
    ),
    Place("v2", "McpElicitationEnumSchema"): _one_of(
        "McpElicitationSingleSelectEnumSchema",
        "McpElicitationMultiSelectEnumSchema",
        "McpElicitationLegacyTitledEnumSchema",
    ),
}
"""Parts of other types that have a file of their own there."""
