"""The whole interface as one value.

`AppState` is what the widgets draw. The composer's text is not here: it belongs to the composer
widget, which hands it over when it is sent and takes it back by a `ReturnToComposer` effect.
Moments are Unix seconds of our own clock and come in with the events.
"""

from typing import Literal, TypeAlias

import msgspec

from app_server.protocol.account import AccountLoginCompletedNotification, GetAccountResponse
from app_server.protocol.mcp import McpServerStartupState
from app_server.protocol.model import Model
from app_server.protocol.permissions import AskForApproval, SandboxPolicy
from app_server.protocol.rate_limits import RateLimitSnapshot
from app_server.protocol.shared import ReasoningEffort
from tui.state.cells import NoticeCell
from tui.state.thread import ThreadState


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    status: Literal["connecting", "ready", "again", "lost"] = "connecting"
    """`again`: lost, and being dialled again."""
    reason: str = ""
    """Why it was lost, one sentence."""
    attempt: int = 0
    """How often it was dialled since."""
    remote: bool = False


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for the next turn of the focused thread, and how things are shown."""

    model: str = ""
    provider: str = ""
    effort: ReasoningEffort | None = None
    approval_policy: AskForApproval = "on-request"
    sandbox: SandboxPolicy | None = None
    cwd: str = ""
    plan_mode: bool = False
    service_tier: str | None = None
    instruction_sources: tuple[str, ...] = ()
    show_raw_reasoning: bool = False
    hide_reasoning: bool = False
    status_items: tuple[str, ...] = ("model-with-reasoning", "current-dir", "context-remaining")
    title_items: tuple[str, ...] = ("project-name",)


class PendingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the user changed and the next `turn/start` carries; None leaves it as it is."""

    model: str | None = None
    effort: ReasoningEffort | None = None
    approval_policy: AskForApproval | None = None
    sandbox: SandboxPolicy | None = None
    plan_mode: bool | None = None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    details: GetAccountResponse | None = None
    """None until the server has said."""
    rate_limits: RateLimitSnapshot | None = None
    ended_logins: tuple[AccountLoginCompletedNotification, ...] = ()
    """How the latest sign-ins ended, newest last."""
    looked_for_in: str = ""
    """Where the sign-in is still being looked for."""


class McpServer(msgspec.Struct, frozen=True, kw_only=True):
    status: McpServerStartupState
    error: str = ""


Dialog: TypeAlias = str
"""The name of a panel below the transcript, such as "model" or "permissions"; the shell's own."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the user's: text with placeholders expanded, and pictures by path."""

    text: str
    images: tuple[str, ...] = ()


class Unsent(msgspec.Struct, frozen=True, kw_only=True):
    """A message whose turn failed for want of a sign-in."""

    thread_id: str
    draft: Draft


class AppState(msgspec.Struct, frozen=True, kw_only=True):
    version: str = ""
    home: str = ""
    demo: bool = False
    connection: Connection = Connection()
    account: Account = Account()
    settings: Settings = Settings()
    pending_settings: PendingSettings = PendingSettings()
    models: tuple[Model, ...] = ()
    threads: dict[str, ThreadState] = {}
    """Never changed in place; a new dict is made."""
    focused: str | None = None
    """The thread on screen; None until one is open."""
    opening: Literal["start", "resume", "fork"] | None = "start"
    """A thread is being opened; what is submitted meanwhile waits in `waiting`."""
    waiting: tuple[Draft, ...] = ()
    unsent: Unsent | None = None
    dialog: Dialog | None = None
    notices: tuple[NoticeCell, ...] = ()
    """Said before a thread was open; they move into its transcript."""
    mcp_servers: dict[str, McpServer] = {}
    next_id: int = 1
    """For ids of cells and messages that the interface makes itself."""

    @property
    def thread(self) -> ThreadState | None:
        """The thread on screen."""
        return None if self.focused is None else self.threads.get(self.focused)
