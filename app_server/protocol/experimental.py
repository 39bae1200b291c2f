"""What is closed to a client that has not said `experimentalApi` when it introduced itself.

Whole methods are marked on their rows; this room knows the fields and variants. A field counts
only when it differs from its default: `false` and null pass, an empty list does not.
"""

from typing import Any, TypeVar

import msgspec

from app_server.protocol.method import ClientMethod

StructT = TypeVar("StructT", bound=msgspec.Struct)

EXPERIMENTAL_FIELDS: dict[str, tuple[str, ...]] = {
    "thread/start": (
        "permissions",
        "environments",
        "dynamic_tools",
        "mock_experimental_field",
        "experimental_raw_events",
        "persist_extended_history",
    ),
    "thread/resume": ("history", "path", "permissions", "persist_extended_history"),
    "thread/fork": ("path", "permissions", "persist_extended_history"),
    "turn/start": (
        "responsesapi_client_metadata",
        "environments",
        "permissions",
        "collaboration_mode",
    ),
    "turn/steer": ("responsesapi_client_metadata",),
    "command/exec": ("permission_profile",),
}

EXPERIMENTAL_VARIANTS: dict[str, tuple[str, ...]] = {
    "account/login/start": ("chatgptAuthTokens",),
}

EXPERIMENTAL_TYPE_FIELDS: dict[str, tuple[str, ...]] = {
    "ThreadStartParams": (
        "dynamicTools",
        "environments",
        "experimentalRawEvents",
        "mockExperimentalField",
        "permissions",
        "persistExtendedHistory",
    ),
    "ThreadStartResponse": ("activePermissionProfile", "permissionProfile"),
    "ThreadResumeParams": ("history", "path", "permissions", "persistExtendedHistory"),
    "ThreadResumeResponse": ("activePermissionProfile", "permissionProfile"),
    "ThreadForkParams": ("path", "permissions", "persistExtendedHistory"),
    "ThreadForkResponse": ("activePermissionProfile", "permissionProfile"),
    "TurnStartParams": (
        "collaborationMode",
        "environments",
        "permissions",
        "responsesapiClientMetadata",
    ),
    "TurnSteerParams": ("responsesapiClientMetadata",),
    "CommandExecParams": ("permissionProfile",),
    "CommandExecutionRequestApprovalParams": ("additionalPermissions", "availableDecisions"),
    "Config": ("apps",),
    "ConfigRequirements": ("allowedApprovalsReviewers", "hooks", "network"),
}
"""What the published schema leaves out unless asked for experimental parts, by JSON name."""

EXPERIMENTAL_QUESTION_FIELDS = ("additional_permissions", "available_decisions")


def required_capability(row: ClientMethod[Any, Any], params: Any) -> str | None:
    """What in this call needs the experimental capability, as the refusal names it; None if
    nothing does.
    """
    if row.experimental:
        return row.name
    if not isinstance(params, msgspec.Struct):
        return None
    if params.__struct_config__.tag in EXPERIMENTAL_VARIANTS.get(row.name, ()):
        return f"{row.name}.{params.__struct_config__.tag}"
    if not isinstance(getattr(params, "approval_policy", None), str | None):
        return "askForApproval.granular"
    for field in EXPERIMENTAL_FIELDS.get(row.name, ()):
        if getattr(params, field) not in (None, False):
            return f"{row.name}.{wire_name(type(params), field)}"
    return None


def refusal(descriptor: str) -> str:
    """The error text for a client without the capability."""
    return f"{descriptor} requires experimentalApi capability"


def without_experimental_fields(params: StructT) -> StructT:
    """A question to the user, as a client without the capability gets it."""
    unwanted = [
        field for field in EXPERIMENTAL_QUESTION_FIELDS if getattr(params, field, None) is not None
    ]
    return msgspec.structs.replace(params, **dict.fromkeys(unwanted)) if unwanted else params


def wire_name(kind: type[msgspec.Struct], field: str) -> str:
    """How a field is called in JSON."""
    return kind.__struct_encode_fields__[kind.__struct_fields__.index(field)]
