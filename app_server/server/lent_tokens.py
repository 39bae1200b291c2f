"""Asks the host application for new tokens when those it lent us were refused.

The question goes to every client past its handshake, since the tokens belong to the server and not
to a thread; the first answer counts. A host that is silent for ten seconds has failed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from app_server.agent.questions import QuestionRefused
from app_server.auth.errors import RefreshFailed
from app_server.auth.host_tokens import HostTokens
from app_server.protocol.account import (
    ACCOUNT_CHATGPT_AUTH_TOKENS_REFRESH,
    ChatgptAuthTokensRefreshParams,
)
from app_server.protocol.errors import RpcError
from app_server.server.questions import NobodyLeft

if TYPE_CHECKING:
    from app_server.server.connection import Connection
    from app_server.server.server import Server

LIMIT_SECONDS = 10.0
"""A turn waits for the answer; a host has its tokens at hand or needs one request for them."""


class TokenLender:
    """Implements `auth.host_tokens.AskHost` for one server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def __call__(self, account_id: str | None) -> HostTokens:
        """Raises `RefreshFailed`; the tokens in use stay as they are."""
        question = ChatgptAuthTokensRefreshParams(
            reason="unauthorized", previous_account_id=account_id
        )
        if not self._clients():
            raise _failed("auth refresh request canceled: no client is connected")
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                answer = await self._server.questions.ask(
                    ACCOUNT_CHATGPT_AUTH_TOKENS_REFRESH, question, self._clients
                )
        except TimeoutError:
            raise _failed(f"auth refresh request timed out after {LIMIT_SECONDS:g}s") from None
        except NobodyLeft as gone:
            raise _failed(f"auth refresh request canceled: {gone}") from gone
        except QuestionRefused as refusal:
            raise _failed(_what_was_said(refusal)) from refusal
        await self._check_workspace(answer.chatgpt_account_id)
        return HostTokens(
            access_token=answer.access_token,
            account_id=answer.chatgpt_account_id,
            plan=answer.chatgpt_plan_type,
        )

    def _clients(self) -> list[Connection]:
        return [client for client in self._server.connections if client.hears_broadcasts]

    async def _check_workspace(self, account_id: str) -> None:
        config = await asyncio.to_thread(self._server.services.current_config)
        allowed = config.forced_chatgpt_workspace_id
        if allowed is not None and account_id != allowed:
            raise _failed(
                f'external auth refresh returned workspace "{account_id}", '
                f'expected one of ["{allowed}"]'
            )


def _what_was_said(refusal: QuestionRefused) -> str:
    error = refusal.__cause__
    if isinstance(error, RpcError):
        return f"auth refresh request failed: code={error.code} message={error.message}"
    return f"auth refresh request failed: {refusal}"


def _failed(message: str) -> RefreshFailed:
    return RefreshFailed(message, is_final=False)
