"""Was this failure the sandbox's doing? A guess from exit code and output, as Codex makes it."""

from __future__ import annotations

import signal

_SIGNS = (
    "operation not permitted",
    "permission denied",
    "read-only file system",
    "seccomp",
    "sandbox",
    "landlock",
    "failed to write file",
)


def was_denied(
    confinement: str, exit_code: int | None, output: str, told: bool | None = None
) -> bool:
    """Whether a confined command that failed most likely failed because it was confined.

    Without one of the telling phrases only a death by SIGSYS counts; codes like 2, 126 and 127 mean
    a mistake in the command. What somebody else, who confined it, has `told` of it counts instead.
    """
    if confinement in ("none", "external") or exit_code in (0, None):
        return False
    if told is not None:
        return told
    lowered = output.lower()
    return any(sign in lowered for sign in _SIGNS) or exit_code == 128 + signal.SIGSYS
