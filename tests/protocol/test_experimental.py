"""What a client without `experimentalApi` may not say and does not get to see."""

from typing import Any

import msgspec
import pytest

from app_server.protocol import catalog
from app_server.protocol.approvals import CommandExecutionRequestApprovalParams
from app_server.protocol.decode import decode_params
from app_server.protocol.experimental import (
    EXPERIMENTAL_FIELDS,
    EXPERIMENTAL_TYPE_FIELDS,
    refusal,
    required_capability,
    wire_name,
    without_experimental_fields,
)

TURN = {"threadId": "t", "input": []}
FORK = {"threadId": "t"}
GRANULAR = {"granular": {"mcp_elicitations": True, "rules": True, "sandbox_approval": True}}
TOKENS = {"type": "chatgptAuthTokens", "accessToken": "a", "chatgptAccountId": "b"}

CALLS: list[tuple[str, Any, str | None]] = [
    ("thread/start", {}, None),
    ("thread/start", {"persistExtendedHistory": False, "dynamicTools": None}, None),
    ("thread/start", {"dynamicTools": []}, "thread/start.dynamicTools"),
    ("thread/start", {"persistExtendedHistory": True}, "thread/start.persistExtendedHistory"),
    ("thread/start", {"approvalPolicy": "never"}, None),
    ("thread/start", {"approvalPolicy": GRANULAR}, "askForApproval.granular"),
    ("turn/start", {**TURN, "approvalPolicy": GRANULAR}, "askForApproval.granular"),
    ("turn/start", {**TURN, "environments": []}, "turn/start.environments"),
    (
        "turn/start",
        {**TURN, "responsesapiClientMetadata": {}},
        "turn/start.responsesapiClientMetadata",
    ),
    ("thread/resume", {**FORK, "path": "/p"}, "thread/resume.path"),
    ("thread/resume", {**FORK, "history": []}, "thread/resume.history"),
    ("thread/fork", {**FORK, "path": "/p"}, "thread/fork.path"),
    ("command/exec", {"command": []}, None),
    (
        "command/exec",
        {"command": [], "permissionProfile": {"type": "disabled"}},
        "command/exec.permissionProfile",
    ),
    ("account/login/start", {"type": "chatgpt"}, None),
    ("account/login/start", TOKENS, "account/login/start.chatgptAuthTokens"),
    ("collaborationMode/list", {}, "collaborationMode/list"),
    ("memory/reset", None, "memory/reset"),
    ("account/logout", None, None),
]


@pytest.mark.parametrize(("method", "params", "descriptor"), CALLS)
def test_a_call_needs_the_capability_for_what_is_named(
    method: str, params: Any, descriptor: str | None
) -> None:
    row = catalog.client_method(method)
    assert row is not None
    assert required_capability(row, decode_params(row, params)) == descriptor


def test_the_refusal_names_what_was_used() -> None:
    assert refusal("memory/reset") == "memory/reset requires experimentalApi capability"


def test_a_question_without_its_experimental_fields() -> None:
    question = CommandExecutionRequestApprovalParams(
        thread_id="t", turn_id="u", item_id="i", command="ls", available_decisions=["accept"]
    )
    stripped = without_experimental_fields(question)
    assert stripped == msgspec.structs.replace(question, available_decisions=None)
    assert "availableDecisions" not in msgspec.json.decode(msgspec.json.encode(stripped))
    assert without_experimental_fields(stripped) is stripped


def test_the_gate_and_the_published_schema_agree_on_fields() -> None:
    for method, fields in EXPERIMENTAL_FIELDS.items():
        row = catalog.client_method(method)
        assert row is not None
        assert isinstance(row.params, type)
        names = {wire_name(row.params, field) for field in fields}
        assert names == set(EXPERIMENTAL_TYPE_FIELDS[row.params.__name__])
