"""What can be wrong with rules: `RulesError`, with the place in the file."""

from __future__ import annotations


class RulesError(Exception):
    """A file of rules that cannot be used. Lines and columns count from 1; the end is exclusive."""

    def __init__(
        self,
        path: str,
        reason: str,
        line: int | None = None,
        column: int = 1,
        end_line: int | None = None,
        end_column: int | None = None,
    ) -> None:
        self.path = path
        self.reason = reason
        self.line = line
        self.column = column
        self.end_line = end_line or line
        self.end_column = end_column or column
        place = f"{path}:{line}" if line else path
        super().__init__(f"{place}: error: {reason}")
