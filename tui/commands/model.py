"""/model, /permissions and /plan: what answers, and what it may do."""

from typing import TYPE_CHECKING, NamedTuple

from app_server.protocol.config import CONFIG_BATCH_WRITE, ConfigBatchWriteParams, ConfigEdit
from app_server.protocol.errors import RpcError
from app_server.protocol.model import Model
from app_server.protocol.permissions import (
    AskForApproval,
    DangerFullAccessSandboxPolicy,
    ReadOnlySandboxPolicy,
    SandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from tui.state.actions import RefreshModels, SetModel, SetPermissions
from tui.widgets.pickers.list_picker import Choice

if TYPE_CHECKING:
    from app_server.protocol.shared import ReasoningEffort
    from tui.screens.chat import ChatScreen


class Preset(NamedTuple):
    """What Codex may do without asking."""

    name: str
    help: str
    approval_policy: AskForApproval
    sandbox: SandboxPolicy


PRESETS = (
    Preset(
        "Read only",
        "looks at files; asks before it changes anything or reaches the network",
        "on-request",
        ReadOnlySandboxPolicy(),
    ),
    Preset(
        "Workspace",
        "works in this folder; asks before it leaves it or reaches the network",
        "on-request",
        WorkspaceWriteSandboxPolicy(),
    ),
    Preset(
        "Full access",
        "runs anything anywhere, with the network, and never asks",
        "never",
        DangerFullAccessSandboxPolicy(),
    ),
)


def choose_model(chat: "ChatScreen", arguments: str) -> None:
    """A list of models, then of efforts; `/model NAME [EFFORT]` goes straight there."""
    state = chat.state
    if arguments:
        name, _, effort = arguments.partition(" ")
        chosen = next((m for m in state.models if name in (m.model, m.id)), None)
        if chosen is None or not effort:
            _set_model(chat, chosen.model if chosen else name, None)
            return
        known = [option.reasoning_effort for option in chosen.supported_reasoning_efforts]
        match = next((one for one in known if one == effort.strip()), None)
        if match is None:
            chat.say("error", f"{name} knows these efforts: {', '.join(known)}.")
            return
        _set_model(chat, chosen.model, match)
        return
    shown = [m for m in state.models if not m.hidden or m.model == state.settings.model]
    if not shown:
        chat.act(RefreshModels())
        chat.say("info", "The list of models is not here yet. Name one: /model NAME.")
        return
    choices = [
        Choice(
            model.display_name + (" (default)" if model.is_default else ""),
            model,
            model.description,
            model.model == state.settings.model,
        )
        for model in shown
    ]
    chat.pick("Choose a model", choices, lambda choice: _choose_effort(chat, choice.value))


def _choose_effort(chat: "ChatScreen", model: Model) -> None:
    settings = chat.state.settings
    efforts = model.supported_reasoning_efforts
    if len(efforts) < 2:
        _set_model(chat, model.model, efforts[0].reasoning_effort if efforts else None)
        return
    is_same = model.model == settings.model
    current = settings.effort if is_same and settings.effort else model.default_reasoning_effort
    choices = [
        Choice(
            option.reasoning_effort
            + (" (default)" if option.reasoning_effort == model.default_reasoning_effort else ""),
            option.reasoning_effort,
            option.description,
            is_same and option.reasoning_effort == current,
        )
        for option in efforts
    ]
    chat.pick(
        f"How much should {model.display_name} think?",
        choices,
        lambda choice: _set_model(chat, model.model, choice.value),
        selected=next((n for n, o in enumerate(efforts) if o.reasoning_effort == current), 0),
        on_cancelled=lambda: choose_model(chat, ""),
    )


def _set_model(chat: "ChatScreen", model: str, effort: "ReasoningEffort | None") -> None:
    chat.act(SetModel(model=model, effort=effort))
    chat.app.remember_model(model, effort or "")
    chat.run_worker(_keep(chat, model, effort))


async def _keep(chat: "ChatScreen", model: str, effort: "ReasoningEffort | None") -> None:
    """The choice is the default of later sessions, too."""
    edits = [
        ConfigEdit(key_path="model", value=model, merge_strategy="replace"),
        ConfigEdit(key_path="model_reasoning_effort", value=effort, merge_strategy="replace"),
    ]
    try:
        await chat.request(CONFIG_BATCH_WRITE, ConfigBatchWriteParams(edits=edits))
    except RpcError as error:
        chat.say("warning", f"The choice holds for this session only: {error.message}")


def choose_permissions(chat: "ChatScreen", arguments: str) -> None:
    settings = chat.state.settings
    choices = [
        Choice(
            preset.name,
            preset,
            preset.help,
            type(preset.sandbox) is type(settings.sandbox)
            and preset.approval_policy == settings.approval_policy,
        )
        for preset in PRESETS
    ]
    chat.pick("What may Codex do?", choices, lambda choice: _permit(chat, choice.value))


def _permit(chat: "ChatScreen", preset: Preset) -> None:
    if not isinstance(preset.sandbox, DangerFullAccessSandboxPolicy):
        _set_permissions(chat, preset)
        return
    chat.pick(
        "Give full access?",
        [Choice("No, go back", False), Choice("Yes, for this conversation", True)],
        lambda choice: (
            _set_permissions(chat, preset) if choice.value else choose_permissions(chat, "")
        ),
        intro=[
            "Codex will run commands outside the sandbox, change any of your files and reach the"
            " network, without asking. A mistake, or a page it reads, can cost you data."
        ],
        on_cancelled=lambda: choose_permissions(chat, ""),
    )


def _set_permissions(chat: "ChatScreen", preset: Preset) -> None:
    chat.act(
        SetPermissions(
            approval_policy=preset.approval_policy, sandbox=preset.sandbox, label=preset.name
        )
    )


def toggle_plan(chat: "ChatScreen", arguments: str) -> None:
    chat.app.cycle_mode()
