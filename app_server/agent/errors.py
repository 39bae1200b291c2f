"""What a thread refuses.

AgentError
├── NoTurnNamed          the turn to speak to has no id
├── NoActiveTurn         nothing runs that could be steered or interrupted
├── OtherTurnActive      something else runs than the caller believes
├── NotSteerable         what runs takes no input
├── RelativeFolder       a policy names a folder nobody can find
├── UnknownEnvironment   a place for commands that nobody has named
├── EmptyReviewTarget    a review was asked for of nothing
├── BothSaid             a policy and a profile at once
├── NoRefusal            a report of a refusal that is none
├── NoElicitation        an end was told of a question nobody began
├── PlanModeMissing      asked to plan, which this release cannot do
└── EmptyInput           there is nothing to say
"""

from __future__ import annotations

from typing import Any

import msgspec

from app_server.protocol.turn_error import (
    ActiveTurnNotSteerable,
    DetailedCodexErrorInfo,
    NonSteerableTurnKind,
)


class AgentError(Exception):
    """A request the thread cannot follow; the message is for the client."""


class NoTurnNamed(AgentError):
    def __init__(self) -> None:
        super().__init__("expectedTurnId must not be empty")


class NoActiveTurn(AgentError):
    def __init__(self, verb: str) -> None:
        super().__init__(f"no active turn to {verb}")


class OtherTurnActive(AgentError):
    def __init__(self, expected: str, found: str, quote: str = "`") -> None:
        super().__init__(
            f"expected active turn id {quote}{expected}{quote} but found {quote}{found}{quote}"
        )


class NotSteerable(AgentError):
    def __init__(self, kind: NonSteerableTurnKind) -> None:
        super().__init__(f"cannot steer a {kind} turn")
        info = DetailedCodexErrorInfo(
            active_turn_not_steerable=ActiveTurnNotSteerable(turn_kind=kind)
        )
        self.rpc_data: Any = {"codexErrorInfo": msgspec.to_builtins(info)}


class RelativeFolder(AgentError):
    """A policy names a folder nobody can find."""

    def __init__(self, folder: str) -> None:
        super().__init__(f"sandboxPolicy.writableRoots: `{folder}` is not an absolute path")


class UnknownEnvironment(AgentError):
    def __init__(self, name: str) -> None:
        super().__init__(f"unknown turn environment id `{name}`")


class EmptyReviewTarget(AgentError):
    def __init__(self, field: str) -> None:
        super().__init__(f"{field} must not be empty")


class NoRefusal(AgentError):
    def __init__(self, reason: str) -> None:
        super().__init__(f"invalid Guardian denial event: {reason}")


class NoElicitation(AgentError):
    def __init__(self) -> None:
        super().__init__("out-of-band elicitation count is already zero")


class PlanModeMissing(AgentError):
    """Better refused than quietly answered by doing."""

    def __init__(self) -> None:
        super().__init__(
            "collaborationMode `plan` is not implemented yet in this release; use `default`"
        )


class BothSaid(AgentError):
    """A policy and a profile at once."""

    def __init__(self) -> None:
        super().__init__("`permissions` cannot be combined with `sandboxPolicy`")


class EmptyInput(AgentError):
    def __init__(self) -> None:
        super().__init__("input must not be empty")
