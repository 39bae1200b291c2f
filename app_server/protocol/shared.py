"""Small types that many topics use."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from app_server.protocol.wire import JsonObject, Wire


class W3cTraceContext(Wire):
    traceparent: str | None = None
    tracestate: str | None = None


AbsolutePathBuf: TypeAlias = str
"""A path that does not depend on a current directory."""

ThreadId: TypeAlias = str

AgentPath: TypeAlias = str
"""Where an agent stands in the tree of agents."""

RequestId: TypeAlias = str | int
"""Chosen by whoever asks; the two directions count separately."""

ReasoningEffort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh"]

ReasoningSummary: TypeAlias = Literal["auto", "concise", "detailed", "none"]

Verbosity: TypeAlias = Literal["low", "medium", "high"]

Personality: TypeAlias = Literal["none", "friendly", "pragmatic"]

ServiceTier: TypeAlias = Literal["fast", "flex"]

SortDirection: TypeAlias = Literal["asc", "desc"]
"""Defaults depend on the method."""

ImageDetail: TypeAlias = Literal["auto", "low", "high", "original"]

MessagePhase: TypeAlias = Literal["commentary", "final_answer"]

Unsigned: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Unsigned16: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**16 - 1)]
Unsigned32: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]

Signed: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""A whole number in a client's request; larger ones could not be sent on."""

AbsolutePathParam: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A/[^\x00]*\Z")]
"""An absolute path in a client's request; a relative one is refused when it is read."""

PathParam: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[^\x00]*\Z")]
"""A path in a client's request that need not be absolute."""

ResponseItemObject: TypeAlias = JsonObject
"""A `ResponseItem` not yet read; `decode_response_item` reads it."""
