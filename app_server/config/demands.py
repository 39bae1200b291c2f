"""Where an administrator's demands come from, told as text until somebody reads them.

From weakest to strongest: what `managed_config.toml` chooses, `requirements.toml`, and what the
workspace of a ChatGPT account has set. The last is fetched by others and handed in here.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

FetchFailure: TypeAlias = Literal["Auth", "Timeout", "Parse", "RequestFailed"]


class Demands(msgspec.Struct, frozen=True):
    """What was fetched for the signed-in account."""

    cloud: str | None = None
    """TOML; None: the account has none."""
    failure: CloudFailure | None = None
    """Why it is not known although it must be."""


class CloudFailure(msgspec.Struct, frozen=True):
    """Demands that could not be had: no thread starts without them."""

    code: FetchFailure
    detail: str
    status: int | None = None

    @property
    def data(self) -> dict[str, Any]:
        """As the refusal of a thread tells it to programs."""
        told: dict[str, Any] = {
            "reason": "cloudRequirements",
            "errorCode": self.code,
            "detail": self.detail,
        }
        return told if self.status is None else {**told, "statusCode": self.status}


NO_DEMANDS = Demands()
