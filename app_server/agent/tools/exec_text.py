"""What the model is told about a command: the texts, to the letter. Pure."""

from __future__ import annotations

from app_server.truncate import with_line_count


def outcome_text(
    *,
    chunk_id: str,
    wall_seconds: float,
    exit_code: int | None,
    session_id: int | None,
    original_token_count: int,
    output: str,
    max_tokens: int,
) -> str:
    """The result of `exec_command` and `write_stdin`."""
    lines = [f"Chunk ID: {chunk_id}", f"Wall time: {wall_seconds:.4f} seconds"]
    if exit_code is not None:
        lines.append(f"Process exited with code {exit_code}")
    if session_id is not None:
        lines.append(f"Process running with session ID {session_id}")
    lines.append(f"Original token count: {original_token_count}")
    lines.append("Output:")
    lines.append(with_line_count(output, "tokens", max_tokens))
    return "\n".join(lines)


def could_not_run(command: str, reason: str) -> str:
    """The result of a call whose command never ran."""
    return f"exec_command failed for `{command}`: CreateProcess {{ message: {_rust(reason)} }}"


def rejected(reason: str) -> str:
    """Why a command was not run, as it stands inside `could_not_run`."""
    return f"Rejected({_rust(reason)})"


def _rust(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
