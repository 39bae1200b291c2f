"""Each kind of question: what a yes and a no amount to."""

import msgspec
import pytest

from app_server.client.events import Question
from app_server.client.open_question import OpenQuestion, Reply
from app_server.protocol.account import ChatgptAuthTokensRefreshParams
from app_server.protocol.approvals import (
    CommandExecutionRequestApprovalParams,
    CommandExecutionRequestApprovalResponse,
    DynamicToolCallParams,
    DynamicToolCallResponse,
    FileChangeRequestApprovalParams,
    FileChangeRequestApprovalResponse,
    PermissionsRequestApprovalParams,
    PermissionsRequestApprovalResponse,
    ToolRequestUserInputParams,
    ToolRequestUserInputResponse,
)
from app_server.protocol.elicitation import (
    FormMcpServerElicitationRequestParams,
    McpElicitationSchema,
    McpServerElicitationRequestResponse,
    UrlMcpServerElicitationRequestParams,
)
from app_server.protocol.errors import RpcError
from app_server.protocol.permissions import (
    AdditionalNetworkPermissions,
    GrantedPermissionProfile,
    RequestPermissionProfile,
)

WHERE = {"thread_id": "t", "turn_id": "u", "item_id": "i"}
NETWORK = AdditionalNetworkPermissions(enabled=True)
COMMAND = CommandExecutionRequestApprovalParams(**WHERE, command="ls")
CHANGE = FileChangeRequestApprovalParams(**WHERE)
ROOM = PermissionsRequestApprovalParams(
    **WHERE, cwd="/w", permissions=RequestPermissionProfile(network=NETWORK)
)
CHOICES = ToolRequestUserInputParams(**WHERE, questions=[])
TOOL = DynamicToolCallParams(thread_id="t", turn_id="u", call_id="c", tool="x", arguments={})
FORM = FormMcpServerElicitationRequestParams(
    server_name="s",
    thread_id="t",
    message="m",
    requested_schema=McpElicitationSchema(type="object", properties={}),
)
PAGE = UrlMcpServerElicitationRequestParams(
    server_name="s", thread_id="t", elicitation_id="e", message="m", url="https://x"
)
TOKENS = ChatgptAuthTokensRefreshParams(reason="unauthorized")


class Sent:
    """A question, and what was sent for it."""

    def __init__(self, params: msgspec.Struct) -> None:
        self.replies: list[Reply] = []
        self.question = OpenQuestion(Question(7, "a/question", params), self._send)

    async def _send(self, reply: Reply) -> None:
        self.replies.append(reply)


@pytest.mark.parametrize(
    ("params", "once", "for_session"),
    [
        (
            COMMAND,
            CommandExecutionRequestApprovalResponse(decision="accept"),
            CommandExecutionRequestApprovalResponse(decision="acceptForSession"),
        ),
        (
            CHANGE,
            FileChangeRequestApprovalResponse(decision="accept"),
            FileChangeRequestApprovalResponse(decision="acceptForSession"),
        ),
        (
            ROOM,
            PermissionsRequestApprovalResponse(
                permissions=GrantedPermissionProfile(network=NETWORK), scope="turn"
            ),
            PermissionsRequestApprovalResponse(
                permissions=GrantedPermissionProfile(network=NETWORK), scope="session"
            ),
        ),
        (
            PAGE,
            McpServerElicitationRequestResponse(action="accept"),
            McpServerElicitationRequestResponse(action="accept"),
        ),
    ],
)
async def test_a_yes(
    params: msgspec.Struct, once: msgspec.Struct, for_session: msgspec.Struct
) -> None:
    for is_for_session, expected in ((False, once), (True, for_session)):
        sent = Sent(params)
        await sent.question.accept(for_session=is_for_session)
        assert sent.replies == [expected]


@pytest.mark.parametrize("params", [CHOICES, TOOL, FORM, TOKENS])
async def test_a_yes_that_says_too_little_is_a_mistake(params: msgspec.Struct) -> None:
    sent = Sent(params)
    with pytest.raises(TypeError, match="use `answer`"):
        await sent.question.accept()
    assert not sent.question.is_answered


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (COMMAND, CommandExecutionRequestApprovalResponse(decision="decline")),
        (CHANGE, FileChangeRequestApprovalResponse(decision="decline")),
        (ROOM, PermissionsRequestApprovalResponse(permissions=GrantedPermissionProfile())),
        (CHOICES, ToolRequestUserInputResponse(answers={})),
        (TOOL, DynamicToolCallResponse(content_items=[], success=False)),
        (FORM, McpServerElicitationRequestResponse(action="decline")),
        (PAGE, McpServerElicitationRequestResponse(action="decline")),
    ],
)
async def test_a_no(params: msgspec.Struct, expected: msgspec.Struct) -> None:
    sent = Sent(params)
    await sent.question.decline()
    assert sent.replies == [expected]


async def test_a_question_of_a_kind_that_has_no_no_is_refused() -> None:
    sent = Sent(TOKENS)
    await sent.question.decline()
    (reply,) = sent.replies
    assert isinstance(reply, RpcError)


async def test_the_first_answer_counts_and_can_be_repeated() -> None:
    sent = Sent(CHANGE)
    await sent.question.repeat()
    await sent.question.accept()
    await sent.question.decline()
    await sent.question.repeat()
    assert sent.replies == [FileChangeRequestApprovalResponse(decision="accept")] * 2
