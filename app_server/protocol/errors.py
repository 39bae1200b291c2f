"""Errors as they travel: a code, a sentence, sometimes data.

    RpcError
    ├── InvalidRequest    -32600   not understood, not allowed now, or refused by the method
    ├── InvalidParams     -32602   a few checks that concern one argument's meaning
    ├── InternalError     -32603   the server failed at something it should be able to do
    └── Overloaded        -32001   too much waiting; try again later

Codes not in the tree stay plain `RpcError`s. -32601 and -32700 are never sent.
"""

from typing import Any, ClassVar

INVALID_REQUEST = -32600
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
OVERLOADED = -32001


class RpcError(Exception):
    """The other side's answer is an error, or ours is."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data
        """Absent on the wire when None."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code}, {self.message!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return rpc_error, (self.code, self.message, self.data)


class _CodedError(RpcError):
    code_of_kind: ClassVar[int]

    def __init__(self, message: str, data: Any = None) -> None:
        super().__init__(self.code_of_kind, message, data)


class InvalidRequest(_CodedError):
    """Not understood, not allowed now, or refused by the method."""

    code_of_kind = INVALID_REQUEST


class InvalidParams(_CodedError):
    """An argument whose meaning the method rejects."""

    code_of_kind = INVALID_PARAMS


class InternalError(_CodedError):
    """The server failed at something it should be able to do."""

    code_of_kind = INTERNAL_ERROR


class Overloaded(_CodedError):
    """Too much is waiting; the same call may succeed later.

    The data is what makes newer clients retry by themselves.
    """

    code_of_kind = OVERLOADED

    def __init__(self, message: str = "Server overloaded; retry later.", data: Any = None) -> None:
        super().__init__(message, data or {"codexErrorInfo": "server_overloaded"})


_KINDS: dict[int, type[_CodedError]] = {
    kind.code_of_kind: kind for kind in (InvalidRequest, InvalidParams, InternalError, Overloaded)
}


def rpc_error(code: int, message: str, data: Any = None) -> RpcError:
    """The error of the kind the code stands for."""
    kind = _KINDS.get(code)
    return RpcError(code, message, data) if kind is None else kind(message, data)
