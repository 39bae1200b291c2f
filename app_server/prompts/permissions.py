"""What the agent may do without asking, in words for the model."""

from __future__ import annotations

from collections.abc import Sequence

from app_server.prompts import text
from app_server.protocol.permissions import (
    AskForApproval,
    DangerFullAccessSandboxPolicy,
    ExternalSandboxSandboxPolicy,
    ReadOnlySandboxPolicy,
    SandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)

TAG = "permissions instructions"


def permissions_block(
    sandbox: SandboxPolicy, approvals: AskForApproval, writable_roots: Sequence[str]
) -> str:
    """The developer's block on sandbox and approvals; `writable_roots` are absolute paths."""
    parts = [_sandbox_text(sandbox), _network_text(sandbox), _approval_text(approvals)]
    if isinstance(sandbox, WorkspaceWriteSandboxPolicy) and writable_roots:
        roots = ", ".join(f"`{root}`" for root in writable_roots)
        noun = "The writable root is" if len(writable_roots) == 1 else "The writable roots are"
        parts.append(f"{noun} {roots}.")
    body = "\n\n".join(part for part in parts if part)
    return f"<{TAG}>\n{body}\n</{TAG}>"


def _sandbox_text(sandbox: SandboxPolicy) -> str:
    match sandbox:
        case ReadOnlySandboxPolicy():
            return text("permissions_read_only.md")
        case WorkspaceWriteSandboxPolicy():
            return text("permissions_workspace_write.md")
        case DangerFullAccessSandboxPolicy() | ExternalSandboxSandboxPolicy():
            return text("permissions_full_access.md")


def _network_text(sandbox: SandboxPolicy) -> str:
    match sandbox:
        case DangerFullAccessSandboxPolicy():
            reachable = True
        case ExternalSandboxSandboxPolicy():
            reachable = sandbox.network_access == "enabled"
        case _:
            reachable = sandbox.network_access
    return "The network can be reached." if reachable else "The network cannot be reached."


def _approval_text(approvals: AskForApproval) -> str:
    if isinstance(approvals, str):
        return text(f"approval_{approvals.replace('-', '_')}.md")
    return text("approval_granular.md")
