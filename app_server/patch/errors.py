"""What can be wrong with a patch.

PatchError              its text is what the model is told
├── PatchSyntaxError    the text is no patch
├── PatchEmpty          the patch changes nothing
├── PatchMismatch       a file does not look as the patch expects
└── PatchWriteError     a file could not be changed
"""

from __future__ import annotations


class PatchError(Exception):
    """A patch cannot be applied."""

    @property
    def verification_text(self) -> str:
        """What the model is told when the patch was refused before anything changed."""
        return f"apply_patch verification failed: {self}"


class PatchSyntaxError(PatchError):
    """The text is not a patch.

    `line` counts from 1 and is None when the text as a whole is meant.
    """

    def __init__(self, reason: str, line: int | None = None) -> None:
        self.reason = reason
        self.line = line
        place = "invalid patch: " if line is None else f"invalid hunk at line {line}, "
        super().__init__(place + reason)

    @property
    def command_text(self) -> str:
        """The same as the `apply_patch` command prints it."""
        if self.line is None:
            return f"Invalid patch: {self.reason}"
        return f"Invalid patch hunk on line {self.line}: {self.reason}"


class PatchEmpty(PatchError):
    """The patch has no hunks."""

    def __init__(self) -> None:
        super().__init__("No files were modified.")

    @property
    def verification_text(self) -> str:
        return "patch rejected: empty patch"


class PatchMismatch(PatchError):
    """A file does not look as the patch expects."""


class PatchWriteError(PatchError):
    """A file could not be changed; changes before it stay."""
