"""A question of the server, as a program answers it.

Answered once; later answers do nothing. Knows how each kind of question is accepted and declined.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from app_server.client.events import Question
from app_server.protocol.approvals import (
    CommandExecutionRequestApprovalParams,
    CommandExecutionRequestApprovalResponse,
    DynamicToolCallParams,
    DynamicToolCallResponse,
    FileChangeApprovalDecision,
    FileChangeRequestApprovalParams,
    FileChangeRequestApprovalResponse,
    PermissionsRequestApprovalParams,
    PermissionsRequestApprovalResponse,
    ToolRequestUserInputParams,
    ToolRequestUserInputResponse,
)
from app_server.protocol.elicitation import (
    FormMcpServerElicitationRequestParams,
    McpServerElicitationRequestResponse,
    UrlMcpServerElicitationRequestParams,
)
from app_server.protocol.errors import InvalidRequest, RpcError
from app_server.protocol.permissions import GrantedPermissionProfile, PermissionGrantScope

Reply = msgspec.Struct | RpcError


class OpenQuestion:
    """Something the server wants to know; `params` says what, typed by the kind of question."""

    def __init__(self, question: Question, send: Callable[[Reply], Awaitable[None]]) -> None:
        self.id = question.id
        self.method = question.method
        self.params = question.params
        self._send = send
        self._given: Reply | None = None
        self.is_answered = False
        self.is_deferred = False

    def __repr__(self) -> str:
        state = "answered" if self.is_answered else "open"
        return f"OpenQuestion({self.method!r}, {state}, {self.params!r})"

    async def accept(self, *, for_session: bool = False) -> None:
        """Say yes: to a command, a change of files, more permissions.

        `for_session` means also the next times, as long as the thread is loaded. Raises `TypeError`
        for a question that a yes does not answer; use `answer`.
        """
        decision: FileChangeApprovalDecision = "acceptForSession" if for_session else "accept"
        match self.params:
            case CommandExecutionRequestApprovalParams():
                await self.answer(CommandExecutionRequestApprovalResponse(decision=decision))
            case FileChangeRequestApprovalParams():
                await self.answer(FileChangeRequestApprovalResponse(decision=decision))
            case PermissionsRequestApprovalParams(permissions=asked):
                granted = GrantedPermissionProfile(
                    file_system=asked.file_system, network=asked.network
                )
                scope: PermissionGrantScope = "session" if for_session else "turn"
                await self.answer(
                    PermissionsRequestApprovalResponse(permissions=granted, scope=scope)
                )
            case UrlMcpServerElicitationRequestParams():
                await self.answer(McpServerElicitationRequestResponse(action="accept"))
            case _:
                raise TypeError(f"{self.method} wants more than a yes: use `answer`")

    async def decline(self) -> None:
        """Say no; the turn goes on without what was asked for."""
        match self.params:
            case CommandExecutionRequestApprovalParams():
                await self.answer(CommandExecutionRequestApprovalResponse(decision="decline"))
            case FileChangeRequestApprovalParams():
                await self.answer(FileChangeRequestApprovalResponse(decision="decline"))
            case PermissionsRequestApprovalParams():
                nothing = PermissionsRequestApprovalResponse(permissions=GrantedPermissionProfile())
                await self.answer(nothing)
            case ToolRequestUserInputParams():
                await self.answer(ToolRequestUserInputResponse(answers={}))
            case DynamicToolCallParams():
                await self.answer(DynamicToolCallResponse(content_items=[], success=False))
            case FormMcpServerElicitationRequestParams() | UrlMcpServerElicitationRequestParams():
                await self.answer(McpServerElicitationRequestResponse(action="decline"))
            case _:
                await self.refuse(InvalidRequest(f"nobody answers {self.method} here"))

    async def answer(self, result: msgspec.Struct) -> None:
        """Answer with the result type of the question's kind."""
        await self._reply(result)

    async def refuse(self, error: RpcError) -> None:
        """Answer with an error, which counts as declining."""
        await self._reply(error)

    def defer(self) -> None:
        """Answer later: without this, going on to the next event declines the question."""
        self.is_deferred = True

    async def repeat(self) -> None:
        """Say again what was answered: the server asks once more after a lost connection."""
        if self._given is not None:
            await self._send(self._given)

    async def _reply(self, reply: Reply) -> None:
        if not self.is_answered:
            self.is_answered = True
            self._given = reply
            await self._send(reply)
