"""/status: what is set, who is signed in, what has been used. Pure: a state becomes a card."""

import time

from app_server.protocol.permissions import (
    DangerFullAccessSandboxPolicy,
    ReadOnlySandboxPolicy,
    SandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from app_server.protocol.rate_limits import RateLimitWindow
from app_server.protocol.sandbox_read import SandboxReadResponse
from tui.state.cells import CardCell
from tui.state.model import AppState
from tui.state.select import account_text, context_left_percent, short_directory

HOUR_MINUTES = 60
WEEK_MINUTES = 7 * 24 * HOUR_MINUTES
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def status_card(
    state: AppState, now: float, sandbox: SandboxReadResponse | None = None
) -> CardCell:
    """Rows whose value is unknown are left out; `now` is in Unix seconds."""
    settings, thread = state.settings, state.thread
    rows: list[tuple[str, str]] = [
        ("Version", state.version),
        ("Model", " ".join(part for part in (settings.model, settings.effort or "") if part)),
        ("Provider", "offline demo, no model" if state.demo else settings.provider),
        ("Folder", short_directory(settings.cwd, state.home)),
        ("Permissions", _permissions(settings.sandbox, settings.approval_policy)),
        ("Sandbox", _mechanism(sandbox) if sandbox is not None else ""),
        (
            "Guides",
            ", ".join(short_directory(path, state.home) for path in settings.instruction_sources)
            or "none",
        ),
        ("Signed in", account_text(details) if (details := state.account.details) else ""),
    ]
    if settings.plan_mode:
        rows.append(("Mode", "plan"))
    if thread is not None:
        rows += [("Name", thread.name or ""), ("Session", thread.id)]
        rows.append(("Forked from", thread.forked_from or ""))
        usage = thread.usage
        if usage is not None:
            total = usage.total
            rows.append(
                (
                    "Tokens",
                    f"{total.total_tokens:,} in this session:"
                    f" {total.input_tokens:,} in ({total.cached_input_tokens:,} cached),"
                    f" {total.output_tokens:,} out",
                )
            )
            left = context_left_percent(thread)
            if left is not None and usage.model_context_window is not None:
                rows.append(
                    (
                        "Context",
                        f"{left}% left ({usage.last.total_tokens:,} of"
                        f" {usage.model_context_window:,} tokens used)",
                    )
                )
    rows += _limits(state, now)
    if state.connection.status == "lost":
        rows.append(("Server", f"lost: {state.connection.reason}"))
    if state.connection.status == "again":
        rows.append(("Server", f"lost, trying again: {state.connection.reason}"))
    return CardCell(
        id="", title="Status", rows=tuple((label, value) for label, value in rows if value)
    )


def _permissions(sandbox: SandboxPolicy | None, policy: object) -> str:
    match sandbox:
        case None:
            return ""
        case DangerFullAccessSandboxPolicy():
            room = "full access, no sandbox"
        case ReadOnlySandboxPolicy():
            room = "read only"
        case WorkspaceWriteSandboxPolicy(network_access=network):
            room = "workspace" + (" and network" if network else "")
        case _:
            room = "as the sandbox around it allows"
    return f"{room}; asks: {policy if isinstance(policy, str) else 'by kind'}"


def _mechanism(found: SandboxReadResponse) -> str:
    """What confines commands, and what would make it better."""
    name = "none on this machine" if found.mechanism == "none" else found.mechanism
    why = f" ({found.missing})" if found.missing else ""
    return f"{name}{why}\n{found.remedy}" if found.remedy else f"{name}{why}"


def _limits(state: AppState, now: float) -> list[tuple[str, str]]:
    limits = state.account.rate_limits
    if limits is None:
        return []
    rows = []
    for window in (limits.primary, limits.secondary):
        if window is not None:
            left = max(0, min(100, 100 - window.used_percent))
            bar = "█" * round(left / 10)
            resets = "" if window.resets_at is None else reset_text(window.resets_at, now)
            rows.append((_limit_name(window), f"{bar.ljust(10, '░')} {left}% left{resets}"))
    credits = limits.credits
    if credits is not None and (credits.unlimited or credits.has_credits):
        rows.append(("Credits", "unlimited" if credits.unlimited else credits.balance or "some"))
    return rows


def _limit_name(window: RateLimitWindow) -> str:
    minutes = window.window_duration_mins
    if minutes is None:
        return "Limit"
    if minutes >= WEEK_MINUTES - HOUR_MINUTES:
        return "Weekly limit"
    return f"{max(1, round(minutes / HOUR_MINUTES))} h limit"


def reset_text(resets_at: int, now: float) -> str:
    """When a limit begins anew, by the clock on the wall; with the day unless it is today."""
    if resets_at <= now:
        return ""
    when, today = time.localtime(resets_at), time.localtime(now)
    clock = time.strftime("%H:%M", when)
    if (when.tm_year, when.tm_yday) == (today.tm_year, today.tm_yday):
        return f", anew at {clock}"
    return f", anew on {when.tm_mday} {MONTHS[when.tm_mon - 1]} at {clock}"
