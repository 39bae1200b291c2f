"""The terminal's answer when its server asks for new ChatGPT tokens: those of this home's sign-in.

A server elsewhere may live on tokens that this terminal, or an editor beside it, has lent it. The
question is answered on the way from the server to the interface, which never sees a token. Only a
server that names the account that is signed in here gets anything, and none over an open network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from app_server.cli.options import Options
from app_server.protocol.account import (
    ChatgptAuthTokensRefreshParams,
    ChatgptAuthTokensRefreshResponse,
)
from app_server.protocol.errors import InvalidRequest, RpcError
from app_server.rpc.channel import ChannelClosed
from app_server.rpc.frames import ErrorFrame, Frame, RequestFrame, RequestId, ResultFrame

if TYPE_CHECKING:
    from app_server.rpc.channel import Channel

Lend: TypeAlias = Callable[
    [ChatgptAuthTokensRefreshParams], Awaitable[ChatgptAuthTokensRefreshResponse]
]
"""Raises `RpcError` where there is nothing to lend."""


class LendingChannel:
    """A client's end of a channel on which one question is answered before anybody reads it."""

    def __init__(self, channel: Channel, lend: Lend) -> None:
        self._channel = channel
        self._lend = lend
        self._answering: set[asyncio.Task[None]] = set()
        self.send_now = channel.send_now
        self.send = channel.send

    @property
    def can_send(self) -> bool:
        return self._channel.can_send

    async def receive(self) -> Frame | None:
        while True:
            frame = await self._channel.receive()
            match frame:
                case RequestFrame(
                    id=question_id, params=ChatgptAuthTokensRefreshParams() as params
                ):
                    task = asyncio.get_running_loop().create_task(self._answer(question_id, params))
                    self._answering.add(task)
                    task.add_done_callback(self._answering.discard)
                case _:
                    return frame

    async def close(self, complaint: str | None = None) -> None:
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        await self._channel.close(complaint)

    async def _answer(self, question_id: RequestId, params: ChatgptAuthTokensRefreshParams) -> None:
        answer: Frame
        try:
            answer = ResultFrame(question_id, await self._lend(params))
        except RpcError as refusal:
            answer = ErrorFrame(question_id, refusal)
        with suppress(ChannelClosed):
            await self._channel.send(answer)


async def lend_nothing_in_the_open(
    params: ChatgptAuthTokensRefreshParams,
) -> ChatgptAuthTokensRefreshResponse:
    """For a server whose answers and questions others on the way can read; implements `Lend`."""
    raise InvalidRequest("tokens are lent over wss://, unix:// or loopback only")


class HomeLender:
    """Lends the tokens of a home's sign-in; implements `Lend`."""

    def __init__(self, home: Path, options: Options) -> None:
        self._home = home
        self._options = options
        self._lent: str | None = None
        """What was given out last; asked again, it is worth nothing any more."""

    async def __call__(
        self, params: ChatgptAuthTokensRefreshParams
    ) -> ChatgptAuthTokensRefreshResponse:
        from app_server.auth.errors import AuthError
        from app_server.auth.needs import OPENAI
        from app_server.auth.rules import violation
        from app_server.cli.login import open_manager, settings
        from app_server.model.http import HttpClients

        config = await asyncio.to_thread(settings, self._home, self._options)
        async with HttpClients() as http:
            auth = open_manager(self._home, config, http)
            try:
                found = await auth.ready()
                if found is not None and found.bearer.reveal() == self._lent:
                    await auth.refresh()
                await auth.headers(OPENAI)  # renews what has ended
            except AuthError as problem:
                raise InvalidRequest(str(problem)) from problem
            finally:
                await auth.close()
            found = auth.credentials
        if found is None or found.mode != "chatgpt" or found.account_id is None:
            raise InvalidRequest("nobody is signed in with ChatGPT at this terminal")
        if params.previous_account_id != found.account_id:
            raise InvalidRequest("another account is signed in at this terminal")
        forbidden = violation(found, config)
        if forbidden is not None:
            raise InvalidRequest(forbidden)
        self._lent = found.bearer.reveal()
        return ChatgptAuthTokensRefreshResponse(
            access_token=self._lent,
            chatgpt_account_id=found.account_id,
            chatgpt_plan_type=found.plan,
        )
