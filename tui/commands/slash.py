"""The slash commands: name, help, when they may be given, what they do.

`COMMANDS` is the order of the popup. A command is a function of the chat screen and of what follows
its name; those that wait for the server start a worker of the screen's.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from tui.commands import account, model, terminals, thread, view
from tui.widgets.composer.slash_popup import Suggestion

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen

Run: TypeAlias = "Callable[[ChatScreen, str], None]"


class SlashCommand(NamedTuple):
    name: str
    help: str
    run: Run
    while_running: bool = False
    """May be given while a turn runs."""
    aliases: tuple[str, ...] = ()


COMMANDS: tuple[SlashCommand, ...] = (
    SlashCommand("model", "choose the model and how much it thinks", model.choose_model),
    SlashCommand(
        "permissions", "choose what Codex may do without asking", model.choose_permissions,
        aliases=("approvals",),
    ),
    SlashCommand("plan", "plan mode: propose before doing, or back", model.toggle_plan),
    SlashCommand("new", "begin a new conversation", thread.new),
    SlashCommand("resume", "go on with an earlier conversation", thread.resume),
    SlashCommand("fork", "go on in a copy of this conversation", thread.fork),
    SlashCommand("rename", "name this conversation", thread.rename, while_running=True),
    SlashCommand("compact", "summarise the conversation to make room", thread.compact),
    SlashCommand("review", "review changes, a commit, or what you say", thread.review),
    SlashCommand("diff", "show the changes in the working tree", view.diff, while_running=True),
    SlashCommand("copy", "copy the last answer", view.copy, while_running=True),
    SlashCommand("mention", "name a file", view.mention, while_running=True),
    SlashCommand(
        "status", "settings, account and tokens of this session", account.status,
        while_running=True,
    ),
    SlashCommand(
        "ps", "commands that run in the background", terminals.show_terminals, while_running=True
    ),
    SlashCommand(
        "stop", "end the commands in the background", terminals.stop_terminals, while_running=True
    ),
    SlashCommand("clear", "clear the terminal and begin anew", thread.clear),
    SlashCommand("demo-info", "what the offline demo is", account.demo_info, while_running=True),
    SlashCommand("help", "commands and keys", view.show_help, while_running=True),
    SlashCommand("login", "sign in, or as somebody else", account.log_in, while_running=True),
    SlashCommand("logout", "forget the stored sign-in and leave", account.log_out),
    SlashCommand("quit", "leave", account.leave, while_running=True, aliases=("exit",)),
)  # fmt: skip


def find_command(name: str) -> SlashCommand | None:
    return next((c for c in COMMANDS if name == c.name or name in c.aliases), None)


def suggestions(commands: Sequence[SlashCommand], typed: str) -> list[Suggestion]:
    """Commands for what is typed: prefixes first, then those holding its letters in order."""
    typed = typed.lower()
    begin: list[Suggestion] = []
    hold: list[Suggestion] = []
    for command in commands:
        names = [name for name in (command.name, *command.aliases) if name.startswith(typed)]
        if names:
            name = command.name if command.name in names else names[0]
            begin.append(Suggestion(name, command.help, tuple(range(len(typed)))))
            continue
        matched = _letters_in_order(typed, command.name)
        if matched:
            hold.append(Suggestion(command.name, command.help, matched))
    begin.sort(key=lambda one: one.name != typed)
    return begin + hold


def _letters_in_order(wanted: str, name: str) -> tuple[int, ...]:
    positions = []
    start = 0
    for letter in wanted:
        found = name.find(letter, start)
        if found < 0:
            return ()
        positions.append(found)
        start = found + 1
    return tuple(positions)
