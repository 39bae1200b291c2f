"""Lines derived from the state: footer, status line, title, context gauge."""

import shlex
from collections.abc import Callable

from app_server.protocol.account import ApiKeyAccount, ChatgptAccount, GetAccountResponse
from tui.state.cells import AgentMessageCell, AnyCell, CommandCell, ProposedPlanCell
from tui.state.model import AppState
from tui.state.thread import PendingQuestion, ThreadState, TurnStatus

CONTEXT_BASELINE_TOKENS = 12_000
"""What every conversation uses before anything is said; it counts neither as used nor as window."""


def context_left_percent(thread: ThreadState | None) -> int | None:
    """How much of the context window is free; None while the window is unknown."""
    usage = None if thread is None else thread.usage
    window = None if usage is None else usage.model_context_window
    if usage is None or window is None or window <= CONTEXT_BASELINE_TOKENS:
        return None
    used = max(0, usage.last.total_tokens - CONTEXT_BASELINE_TOKENS)
    room = window - CONTEXT_BASELINE_TOKENS
    return max(0, min(100, round(100 * (room - used) / room)))


def footer_items(state: AppState) -> tuple[str, ...]:
    """The footer's items, left to right; what is not known yet is left out."""
    items = [_ITEMS[name](state) for name in state.settings.status_items if name in _ITEMS]
    if state.demo:
        items.insert(0, "demo, no model")
    return tuple(item for item in items if item)


def mode_label(state: AppState) -> str:
    """The right side of the footer; empty in the default mode."""
    return "Plan mode (shift+tab to cycle)" if state.settings.plan_mode else ""


def status_line(status: TurnStatus, at: float) -> tuple[str, str]:
    """Header and the dim rest."""
    return status.header, f"({elapsed(at - status.running_since)} • esc to interrupt)"


def elapsed(seconds: float) -> str:
    """As a person says it: 5s, 1m 05s, 2h 03m 09s."""
    whole = max(0, int(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes:02d}m {rest:02d}s"
    if minutes:
        return f"{minutes}m {rest:02d}s"
    return f"{rest}s"


def live_cells(thread: ThreadState) -> tuple[AnyCell, ...]:
    """Live cells in the order to draw: commands that a later message has left behind come last."""
    behind = left_behind(thread)
    return (*(cell for cell in thread.live if cell not in behind), *behind)


def left_behind(thread: ThreadState) -> tuple[CommandCell, ...]:
    """Commands of the running turn that go on although the agent has spoken since."""
    commands: list[CommandCell] = []
    behind: tuple[CommandCell, ...] = ()
    for cell in thread.live:
        if isinstance(cell, CommandCell) and cell.status == "running":
            commands.append(cell)
        elif isinstance(cell, AgentMessageCell | ProposedPlanCell):
            behind = tuple(commands)
    return behind


def running_terminals(thread: ThreadState) -> tuple[CommandCell, ...]:
    """Commands that run on although the agent has gone on; for /ps and the status line."""
    return (*thread.terminals, *left_behind(thread))


def open_questions(state: AppState) -> tuple[tuple[ThreadState, PendingQuestion], ...]:
    """All that wait for an answer, those of the conversation on screen first."""
    focused = [thread for thread in state.threads.values() if thread.id == state.focused]
    others = [thread for thread in state.threads.values() if thread.id != state.focused]
    return tuple(
        (thread, question) for thread in (*focused, *others) for question in thread.questions
    )


def account_text(details: GetAccountResponse) -> str:
    """Who is signed in, and how."""
    match details.account:
        case ApiKeyAccount():
            return "with an API key"
        case ChatgptAccount(email=email, plan_type=plan):
            named = "" if plan == "unknown" else f" ({plan.replace('_', ' ')} plan)"
            return f"{email}{named}, with ChatGPT"
        case None:
            return "nobody" if details.requires_openai_auth else "not needed for this provider"
        case other:
            return type(other).__name__.removesuffix("Account")


def window_title(state: AppState) -> str:
    """The project's name, or what the settings name; the shell puts marks before it."""
    items = (_ITEMS[name](state) for name in state.settings.title_items if name in _ITEMS)
    return " · ".join(item for item in items if item) or "codex"


def _project_name(state: AppState) -> str:
    cwd = state.settings.cwd or (state.thread.cwd if state.thread else "")
    return cwd.rstrip("/").rpartition("/")[2]


def short_directory(path: str, home: str) -> str:
    """The path with the home directory as `~`."""
    if home and path == home:
        return "~"
    if home and path.startswith(home.rstrip("/") + "/"):
        return "~" + path[len(home.rstrip("/")) :]
    return path


def exit_lines(state: AppState) -> tuple[str, ...]:
    """What is printed on leaving: token usage and how to continue. Empty without turns.

    A demo ends with its home thrown away: there is nothing to continue.
    """
    thread = state.thread
    if thread is None or not thread.turns:
        return ()
    lines: list[str] = []
    if thread.usage is not None:
        total = thread.usage.total
        fresh = total.input_tokens - total.cached_input_tokens
        cached = f" (+ {total.cached_input_tokens:,} cached)" if total.cached_input_tokens else ""
        reasoning = total.reasoning_output_tokens
        thought = f" (reasoning {reasoning:,})" if reasoning else ""
        lines.append(
            f"Token usage: total={fresh + total.output_tokens:,} input={fresh:,}{cached}"
            f" output={total.output_tokens:,}{thought}"
        )
    if not thread.ephemeral and not state.demo:
        speakable = thread.name and thread.name.isprintable() and thread.name[0] != "-"
        name = thread.name if thread.name and speakable else thread.id
        there = " with the same --remote" if state.connection.remote else ""
        lines.append(f"To continue this session, run codex resume {shlex.quote(name)}{there}")
    return tuple(lines)


def _model(state: AppState) -> str:
    return state.settings.model


def _model_with_reasoning(state: AppState) -> str:
    settings = state.settings
    return f"{settings.model} {settings.effort}" if settings.effort else settings.model


def _directory(state: AppState) -> str:
    return short_directory(state.settings.cwd, state.home)


def _context_remaining(state: AppState) -> str:
    left = context_left_percent(state.thread)
    return "" if left is None else f"{left}% context left"


def _context_used(state: AppState) -> str:
    left = context_left_percent(state.thread)
    return "" if left is None else f"{100 - left}% context used"


def _context_window(state: AppState) -> str:
    usage = state.thread.usage if state.thread else None
    window = usage.model_context_window if usage else None
    return "" if window is None else f"{window // 1000}K window"


def _tokens(field: str, label: str) -> Callable[[AppState], str]:
    def item(state: AppState) -> str:
        usage = state.thread.usage if state.thread else None
        return "" if usage is None else f"{getattr(usage.total, field):,} {label}"

    return item


def _session_id(state: AppState) -> str:
    return state.focused or ""


def _thread_title(state: AppState) -> str:
    return (state.thread.name or "") if state.thread else ""


def _run_state(state: AppState) -> str:
    if state.thread is None:
        return "starting"
    return "working" if state.thread.running else "ready"


def _task_progress(state: AppState) -> str:
    plan = state.thread.plan if state.thread else ()
    done = sum(step.status == "completed" for step in plan)
    return f"{done}/{len(plan)} steps" if plan else ""


def _limit(which: str, label: str) -> Callable[[AppState], str]:
    def item(state: AppState) -> str:
        limits = state.account.rate_limits
        window = None if limits is None else getattr(limits, which)
        return "" if window is None else f"{label} {100 - window.used_percent}% left"

    return item


_ITEMS: dict[str, Callable[[AppState], str]] = {
    "model": _model,
    "model-with-reasoning": _model_with_reasoning,
    "current-dir": _directory,
    "project-name": _project_name,
    "run-state": _run_state,
    "context-remaining": _context_remaining,
    "context-used": _context_used,
    "context-window-size": _context_window,
    "used-tokens": _tokens("total_tokens", "tokens"),
    "total-input-tokens": _tokens("input_tokens", "in"),
    "total-output-tokens": _tokens("output_tokens", "out"),
    "five-hour-limit": _limit("primary", "5h"),
    "weekly-limit": _limit("secondary", "weekly"),
    "session-id": _session_id,
    "thread-title": _thread_title,
    "task-progress": _task_progress,
    "codex-version": lambda state: state.version,
}
