"""A server that plays by the words of the user's message; for tests of the interface alone.

`python -m tests.tui.scripted [--full] [--first-run]` shows a session with it in this terminal.
Words it knows: "lines N" streams N numbered lines, "words N" streams N words a delta each, "ask"
asks about a command, "both" about two at once, "patch" about a change, "hold" runs until it is
interrupted, "serve" leaves a command running, "fail" fails, "explain" answers in Markdown. Anything
else is answered in a sentence.
"""

import asyncio
import contextlib
import os
import shlex
import sys
from collections.abc import Coroutine
from typing import Any

from app_server.protocol.approvals import (
    CommandExecutionRequestApprovalParams,
    FileChangeRequestApprovalParams,
    ServerRequestResolvedNotification,
)
from app_server.protocol.collaboration import (
    COLLABORATION_MODE_LIST,
    CollaborationModeListResponse,
    CollaborationModeMask,
    ModeKind,
)
from app_server.protocol.config import (
    CONFIG_BATCH_WRITE,
    CONFIG_READ,
    ConfigReadResponse,
    ConfigWriteResponse,
)
from app_server.protocol.errors import RpcError
from app_server.protocol.initialize import INITIALIZE, InitializeResponse
from app_server.protocol.item import (
    AddPatchChangeKind,
    AgentMessageThreadItem,
    CommandExecutionThreadItem,
    FileChangeThreadItem,
    FileUpdateChange,
    ItemCompletedNotification,
    ItemStartedNotification,
    UserMessageThreadItem,
)
from app_server.protocol.item_deltas import (
    AgentMessageDeltaNotification,
    CommandExecutionOutputDeltaNotification,
)
from app_server.protocol.model import MODEL_LIST, ModelListResponse
from app_server.protocol.permissions import WorkspaceWriteSandboxPolicy
from app_server.protocol.sandbox_read import SANDBOX_READ, SandboxReadResponse
from app_server.protocol.thread import THREAD_START, ThreadStartResponse
from app_server.protocol.thread_data import IdleThreadStatus, Thread, Turn
from app_server.protocol.thread_shell import THREAD_SHELL_COMMAND, ThreadShellCommandResponse
from app_server.protocol.turn import (
    TURN_INTERRUPT,
    TURN_START,
    TURN_STEER,
    TurnCompletedNotification,
    TurnInterruptResponse,
    TurnStartedNotification,
    TurnStartResponse,
    TurnSteerResponse,
)
from app_server.protocol.turn_error import TurnError
from app_server.rpc.channel import Channel, ChannelClosed, local_pair
from app_server.rpc.frames import (
    ErrorFrame,
    NotificationFrame,
    RequestFrame,
    ResultFrame,
)
from tests.tui.scripted_account import ACCOUNT_METHODS, ScriptedAccount
from tests.tui.scripted_terminals import TERMINAL_METHODS, ScriptedTerminals
from tests.tui.scripted_words import MARKDOWN, MODELS

SIGN_IN_LOST = -32099
REMOVED = "removed 0\nremoved 1\nremoved 2\n"


class ScriptedServer(ScriptedAccount, ScriptedTerminals):
    """One connection; `answers` may be changed before the session begins."""

    def __init__(self, cwd: str = "/work/project", *, trusted: bool = True) -> None:
        super().__init__()
        self.cwd = cwd
        self.config: dict[str, Any] = (
            {"projects": {cwd: {"trust_level": "trusted"}}} if trusted else {}
        )
        self.modes: list[ModeKind] = ["default"]
        """The collaboration modes it offers."""
        self.seen: list[tuple[str, Any]] = []
        """Requests in order: method and params."""
        self.decisions: list[Any] = []
        self._turns = 0
        self._asked = 0
        self._questions: dict[int | str, asyncio.Future[Any]] = {}
        self._running: asyncio.Task[None] | None = None
        self._steered: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def connect(self) -> Channel:
        client, server = local_pair()
        self._channel = server
        self._soon(self._serve())
        return client

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def hang_up(self) -> None:
        """The server is gone."""
        await self._channel.close()

    def end_turn(self) -> None:
        """Another client interrupts the turn."""
        assert self._running is not None
        self._running.cancel()

    async def interrupt_from_elsewhere(self) -> None:
        """Another client ends the turn that waits for an answer."""
        question_id = next(iter(self._questions))
        resolved = ServerRequestResolvedNotification(thread_id="thread-1", request_id=question_id)
        await self.tell("serverRequest/resolved", resolved)
        if self._running is not None:
            self._running.cancel()

    async def _serve(self) -> None:
        while (frame := await self._channel.receive()) is not None:
            if isinstance(frame, RequestFrame):
                self.seen.append((frame.method, frame.params))
                if self.knows_account.is_set():
                    await self._answer(frame)
                else:
                    self._soon(self._answer(frame))
            elif isinstance(frame, ResultFrame):
                self._questions.pop(frame.id).set_result(frame.result)
        if self._running is not None:
            self._running.cancel()

    async def _answer(self, frame: RequestFrame) -> None:
        params: Any = frame.params
        result: Any
        match frame.method:
            case INITIALIZE.name:
                result = InitializeResponse(
                    user_agent="scripted", codex_home="/home/me/.codex",
                    platform_family="unix", platform_os="linux",
                )  # fmt: skip
            case method if method in ACCOUNT_METHODS:
                try:
                    result = await self.answer_of_account(method, params)
                except RpcError as error:
                    await self._channel.send(ErrorFrame(frame.id, error))
                    return
            case MODEL_LIST.name:
                result = ModelListResponse(data=MODELS)
            case COLLABORATION_MODE_LIST.name:
                result = CollaborationModeListResponse(
                    data=[CollaborationModeMask(name=mode, mode=mode) for mode in self.modes]
                )
            case CONFIG_READ.name:
                result = ConfigReadResponse(config=self.config, origins={})
            case CONFIG_BATCH_WRITE.name:
                result = ConfigWriteResponse(status="ok", version="1", file_path="/c/config.toml")
            case THREAD_SHELL_COMMAND.name:
                result = ThreadShellCommandResponse()
            case SANDBOX_READ.name:
                result = SandboxReadResponse(mechanism="bubblewrap", keeps=["workspace-write"])
            case method if method in TERMINAL_METHODS:
                result = await self.answer_of_terminals(method, params)
            case THREAD_START.name:
                result = self._opened()
            case TURN_START.name:
                self._turns += 1
                turn = Turn(id=f"turn-{self._turns}", items=[], status="inProgress")
                result = TurnStartResponse(turn=turn)
                await self._channel.send(ResultFrame(frame.id, result))
                self._running = asyncio.create_task(self._play(turn, params))
                return
            case TURN_STEER.name:
                self._steered.append(params.input[0].text)
                result = TurnSteerResponse(turn_id=params.expected_turn_id)
            case TURN_INTERRUPT.name:
                if self._running is not None:
                    self._running.cancel()
                result = TurnInterruptResponse()
            case method:
                error = RpcError(-32600, f"{method} is not in the script")
                await self._channel.send(ErrorFrame(frame.id, error))
                return
        await self._channel.send(ResultFrame(frame.id, result))

    def _opened(self) -> ThreadStartResponse:
        thread = Thread(
            id="thread-1", preview="", ephemeral=False, model_provider="openai",
            created_at=1_770_000_000, updated_at=1_770_000_000, status=IdleThreadStatus(),
            cwd=self.cwd, cli_version="0.0.0", source="cli", turns=[],
        )  # fmt: skip
        return ThreadStartResponse(
            thread=thread, model="gpt-5.5", model_provider="openai", cwd=self.cwd,
            approval_policy="on-request", approvals_reviewer="user",
            sandbox=WorkspaceWriteSandboxPolicy(), reasoning_effort="medium",
        )  # fmt: skip

    async def _play(self, turn: Turn, params: Any) -> None:
        text = params.input[0].text if params.input else ""
        status: Any = "completed"
        error = None
        await self.tell("turn/started", TurnStartedNotification(thread_id="thread-1", turn=turn))
        user = UserMessageThreadItem(id=f"user-{turn.id}", content=params.input)
        await self._item(turn, user, user)
        try:
            await self._act(turn, text)
        except asyncio.CancelledError:
            status = "interrupted"
        except RpcError as failure:
            info: Any = "unauthorized" if failure.code == SIGN_IN_LOST else None
            status, error = "failed", TurnError(message=failure.message, codex_error_info=info)
        done = Turn(id=turn.id, items=[], status=status, error=error, duration_ms=5000)
        completed = TurnCompletedNotification(thread_id="thread-1", turn=done)
        with contextlib.suppress(ChannelClosed):
            await self.tell("turn/completed", completed)

    async def _act(self, turn: Turn, text: str) -> None:
        word, _, rest = text.partition(" ")
        match word:
            case "lines":
                await self._stream(turn, [f"line {n:04d} of many\n\n" for n in range(int(rest))])
            case "words":
                await self._stream(turn, [f"w{n:04d} " for n in range(int(rest))])
            case "hold":
                await self._stream(turn, ["holding on\n\n"], finish=False)
                await asyncio.Event().wait()
            case "expire" if self.account is not None:
                self.account = None
                raise RpcError(SIGN_IN_LOST, "Your access token could not be refreshed.")
            case "fail":
                raise RpcError(-32000, "the model is not there")
            case "ask":
                await self._ask_command(turn, rest or "rm -rf build")
            case "both":
                await asyncio.gather(
                    self._ask_command(turn, "make one", 1), self._ask_command(turn, "make two", 2)
                )
            case "serve":
                await self._serve_in_background(turn, rest or "npm run dev")
            case "patch":
                await self._ask_patch(turn, int(rest or 1))
            case "explain":
                await self._stream(turn, MARKDOWN.splitlines(keepends=True))
            case _:
                await self._stream(turn, [f"You said: {text}"])

    async def _stream(self, turn: Turn, deltas: list[str], *, finish: bool = True) -> None:
        item_id = f"message-{turn.id}"
        started = AgentMessageThreadItem(id=item_id, text="")
        await self.tell("item/started", ItemStartedNotification(
            item=started, thread_id="thread-1", turn_id=turn.id))  # fmt: skip
        pause = float(os.environ.get("SCRIPTED_PAUSE", "0"))
        for delta in deltas:
            await self.tell("item/agentMessage/delta", AgentMessageDeltaNotification(
                thread_id="thread-1", turn_id=turn.id, item_id=item_id, delta=delta))  # fmt: skip
            await asyncio.sleep(pause)
        if finish:
            whole = AgentMessageThreadItem(id=item_id, text="".join(deltas))
            await self.tell("item/completed", ItemCompletedNotification(
                item=whole, thread_id="thread-1", turn_id=turn.id))  # fmt: skip

    async def _ask_command(self, turn: Turn, command: str, number: int = 1) -> None:
        item = CommandExecutionThreadItem(
            id=f"call-{number}-{turn.id}", command=shlex.join(["bash", "-lc", command]),
            cwd=self.cwd, status="inProgress", command_actions=[],
        )  # fmt: skip
        await self.tell("item/started", ItemStartedNotification(
            item=item, thread_id="thread-1", turn_id=turn.id))  # fmt: skip
        answer = await self._question(
            "item/commandExecution/requestApproval",
            CommandExecutionRequestApprovalParams(
                thread_id="thread-1", turn_id=turn.id, item_id=item.id,
                reason="it removes files", command=item.command, cwd=self.cwd,
                proposed_execpolicy_amendment=["rm", "-rf"],
            ),
        )  # fmt: skip
        status: Any = "declined" if answer.decision in ("decline", "cancel") else "completed"
        if status == "completed":
            for number in range(3):
                await self.tell(
                    "item/commandExecution/outputDelta",
                    CommandExecutionOutputDeltaNotification(
                        thread_id="thread-1", turn_id=turn.id, item_id=item.id,
                        delta=f"removed {number}\n",
                    ),
                )  # fmt: skip
        done = CommandExecutionThreadItem(
            id=item.id, command=item.command, cwd=self.cwd, status=status, command_actions=[],
            exit_code=0 if status == "completed" else None, duration_ms=120,
            aggregated_output=REMOVED if status == "completed" else None,
        )  # fmt: skip
        await self.tell("item/completed", ItemCompletedNotification(
            item=done, thread_id="thread-1", turn_id=turn.id))  # fmt: skip
        said = answer.decision if isinstance(answer.decision, str) else "a rule"
        words = f", and you said: {self._steered[-1]}" if self._steered else ""
        await self._stream(turn, [f"The decision was {said}{words}."])

    async def _serve_in_background(self, turn: Turn, command: str) -> None:
        number = len(self.background) + 1
        item = CommandExecutionThreadItem(
            id=f"call-{turn.id}", command=shlex.join(["bash", "-lc", command]), cwd=self.cwd,
            status="inProgress", command_actions=[], process_id=f"{number}000",
        )  # fmt: skip
        self.background[item.process_id or ""] = (turn, item)
        await self.tell("item/started", ItemStartedNotification(
            item=item, thread_id="thread-1", turn_id=turn.id))  # fmt: skip
        for line in ("compiling\n", "ready in 240 ms\n", "http://localhost:3000\n", "GET / 200\n"):
            await self.tell(
                "item/commandExecution/outputDelta",
                CommandExecutionOutputDeltaNotification(
                    thread_id="thread-1", turn_id=turn.id, item_id=item.id, delta=line
                ),
            )
        await self._stream(turn, ["It runs."])

    async def _ask_patch(self, turn: Turn, lines: int) -> None:
        diff = "print('hello')\n" + "".join(f"print({n})\n" for n in range(2, lines + 1))
        change = FileUpdateChange(path=f"{self.cwd}/hello.py", kind=AddPatchChangeKind(), diff=diff)
        item = FileChangeThreadItem(id=f"patch-{turn.id}", changes=[change], status="inProgress")
        await self.tell("item/started", ItemStartedNotification(
            item=item, thread_id="thread-1", turn_id=turn.id))  # fmt: skip
        answer = await self._question(
            "item/fileChange/requestApproval",
            FileChangeRequestApprovalParams(thread_id="thread-1", turn_id=turn.id, item_id=item.id),
        )
        accepted = answer.decision in ("accept", "acceptForSession")
        done = FileChangeThreadItem(
            id=item.id, changes=[change], status="completed" if accepted else "declined"
        )
        await self.tell("item/completed", ItemCompletedNotification(
            item=done, thread_id="thread-1", turn_id=turn.id))  # fmt: skip
        await self._stream(turn, [f"The decision was {answer.decision}."])

    async def _question(self, method: str, params: Any) -> Any:
        question_id = self._asked
        self._asked += 1
        self._questions[question_id] = asyncio.get_running_loop().create_future()
        await self._channel.send(RequestFrame(question_id, method, params))
        answer = await self._questions[question_id]
        self.decisions.append(answer.decision)
        return answer

    async def _item(self, turn: Turn, started: Any, completed: Any) -> None:
        await self.tell("item/started", ItemStartedNotification(
            item=started, thread_id="thread-1", turn_id=turn.id))  # fmt: skip
        await self.tell("item/completed", ItemCompletedNotification(
            item=completed, thread_id="thread-1", turn_id=turn.id))  # fmt: skip

    async def tell(self, method: str, params: Any) -> None:
        await self._channel.send(NotificationFrame(method, params))


def main() -> int:
    from tui.terminal import first_paint

    cwd = os.getcwd()
    full = "--full" in sys.argv
    painted = first_paint.start(
        first_paint.HeaderFacts(
            version="0.0.0", cwd=cwd, codex_home=os.environ["CODEX_HOME"], full_screen=full
        )
    )
    from tui.main import TuiOptions, run
    from tui.terminal import inline_driver

    inline_driver.ANSWER_SECONDS = 60.0  # the terminals of tests do answer, on a busy machine late
    server = ScriptedServer(cwd, trusted="--first-run" not in sys.argv)
    server.requires_auth = "--first-run" in sys.argv
    options = TuiOptions(
        version="0.0.0", cwd=cwd, codex_home=os.environ["CODEX_HOME"], full_screen=full,
        connect_demo=server.connect,
    )  # fmt: skip
    return run(options, server.connect, painted)


if __name__ == "__main__":
    sys.exit(main())
