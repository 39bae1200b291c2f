"""/status: what is set, who is signed in, what has been used. Pure: a state becomes a card."""

from app_server.protocol.account import ApiKeyAccount, ChatgptAccount
from app_server.protocol.permissions import (
    DangerFullAccessSandboxPolicy,
    ReadOnlySandboxPolicy,
    SandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from tui.state.cells import CardCell
from tui.state.model import AppState
from tui.state.select import context_left_percent, short_directory


def status_card(state: AppState) -> CardCell:
    """Rows whose value is unknown are left out."""
    settings, thread = state.settings, state.thread
    rows: list[tuple[str, str]] = [
        ("Version", state.version),
        ("Model", " ".join(part for part in (settings.model, settings.effort or "") if part)),
        ("Provider", "offline demo, no model" if state.demo else settings.provider),
        ("Folder", short_directory(settings.cwd, state.home)),
        ("Permissions", _permissions(settings.sandbox, settings.approval_policy)),
        (
            "Guides",
            ", ".join(short_directory(path, state.home) for path in settings.instruction_sources)
            or "none",
        ),
        ("Account", _account(state)),
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
    rows += _limits(state)
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


def _account(state: AppState) -> str:
    details = state.account.details
    if details is None:
        return ""
    match details.account:
        case ApiKeyAccount():
            return "API key"
        case ChatgptAccount(email=email, plan_type=plan):
            return f"{email} ({plan})"
        case None:
            return "not signed in" if details.requires_openai_auth else "none needed"
        case other:
            return type(other).__name__.removesuffix("Account")


def _limits(state: AppState) -> list[tuple[str, str]]:
    limits = state.account.rate_limits
    if limits is None:
        return []
    rows = []
    for label, window in (("5 h limit", limits.primary), ("Weekly limit", limits.secondary)):
        if window is not None:
            used = max(0, min(100, window.used_percent))
            bar = "█" * round((100 - used) / 10)
            rows.append((label, f"{bar.ljust(10, '░')} {100 - used}% left"))
    return rows
