"""The recorded schema of release 0.128, and what our types say beside it.

`shape` reduces a definition to what both sides must agree on: field names, which are required,
which may be null, enum values, element types. Titles, formats and defaults are left aside.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from app_server.protocol.schema import build_bundle

RECORDED = Path(__file__).parents[2] / "snapshots/schema/app-server-0.128.schema.json"

NEWER_FIELDS: dict[str, set[str]] = {
    "CommandExecutionRequestApprovalParams": {"startedAtMs"},
    "ExternalAgentConfigImportCompletedNotification": {"importId", "itemTypeResults"},
    "ExternalAgentConfigImportResponse": {"importId"},
    "FileChangeRequestApprovalParams": {"startedAtMs"},
    "HookMetadata": {"currentHash", "trustStatus"},
    "ItemCompletedNotification": {"completedAtMs"},
    "ItemGuardianApprovalReviewCompletedNotification": {"startedAtMs", "completedAtMs"},
    "ItemGuardianApprovalReviewStartedNotification": {"startedAtMs"},
    "ItemStartedNotification": {"startedAtMs"},
    "PermissionsRequestApprovalParams": {"startedAtMs"},
    "PluginDetail": {"appTemplates", "hooks"},
    "RemoteControlStatusChangedNotification": {"serverName", "installationId"},
    "Thread": {"sessionId", "projectId"},
    "ToolRequestUserInputParams": {"isBlocking"},
    "TurnStartParams": {"clientUserMessageId"},
    "TurnSteerParams": {"clientUserMessageId"},
    "ImageUserInput": {"detail"},
    "LocalImageUserInput": {"detail"},
    "UserMessageThreadItem": {"clientId"},
    "ReasoningResponseItem": {"id"},
}
"""What later releases added and we send or take as well."""

OUR_FIELDS: dict[str, set[str]] = {"FileChangeThreadItem": {"error"}}
"""What we send beyond any release."""

WIDER_FIELDS: dict[str, set[str]] = {
    "ThreadStartParams": {"permissions", "serviceTier"},
    "ThreadResumeParams": {"permissions", "serviceTier"},
    "ThreadForkParams": {"permissions", "serviceTier"},
    "TurnStartParams": {"permissions", "serviceTier"},
}
"""Fields that take more than release 0.128 took, because later clients send more."""

DRAWN_OTHERWISE = {
    name
    for name in json.loads(RECORDED.read_text())["definitions"]
    if name.startswith("McpElicitation") and name != "McpElicitationSchema"
} | {
    "AppsConfig",
    "AppToolsConfig",
    "McpServerElicitationRequestParams",
    "ResourceContent",
}
"""Same values, other classes: msgspec tells alternatives apart by a tag, not by their fields."""


@cache
def recorded() -> dict[str, Any]:
    bundle: dict[str, Any] = json.loads(RECORDED.read_text())
    return bundle


@cache
def ours() -> dict[str, Any]:
    return build_bundle(experimental=True)


def definitions(bundle: dict[str, Any]) -> dict[str, Any]:
    everything = {**bundle["definitions"], **bundle["definitions"]["v2"]}
    del everything["v2"]
    return everything


def shape(schema: Any, bundle: dict[str, Any]) -> Any:
    """A comparable value; names that both sides know stay names, others are looked through."""
    if schema is True or schema == {}:
        return "anything"
    if schema.get("title") == "OtherResponseItem":
        return "whatever is not known"
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        if name in definitions(recorded()) and name in definitions(ours()):
            return f"<{name}>"
        return shape(definitions(bundle)[name], bundle)
    if "allOf" in schema:
        return shape(schema["allOf"][0], bundle)
    alternatives = schema.get("oneOf") or schema.get("anyOf")
    if alternatives:
        return _either([shape(each, bundle) for each in alternatives])
    if "enum" in schema:
        return _either([repr(value) for value in schema["enum"]])
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return _either([shape({**schema, "type": kind}, bundle) for kind in kinds])
    if kinds == "array":
        return ("list of", shape(schema.get("items", True), bundle))
    if kinds == "object":
        return _object(schema, bundle)
    return kinds or "anything"


def _object(schema: dict[str, Any], bundle: dict[str, Any]) -> Any:
    if "properties" not in schema:
        values = schema.get("additionalProperties", True)
        return ("map of", shape(values, bundle)) if isinstance(values, dict) else "object"
    required = set(schema.get("required", ()))
    title = schema.get("title", "")
    added = NEWER_FIELDS.get(title, set()) | OUR_FIELDS.get(title, set())
    skipped = added if bundle is ours() else set()
    fields = frozenset(
        (name, "required" if name in required else "optional", shape(field, bundle))
        for name, field in schema["properties"].items()
        if name not in skipped
    )
    return ("object with", fields) if fields else "object"


def _either(shapes: list[Any]) -> Any:
    flat: set[Any] = set()
    for each in shapes:
        if isinstance(each, tuple) and each[0] == "one of":
            flat |= each[1]
        else:
            flat.add(each)
    return ("one of", frozenset(flat)) if len(flat) > 1 else flat.pop()
