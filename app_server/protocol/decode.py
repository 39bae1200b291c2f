"""Reads what arrived into the types of a row, or says what is wrong with it.

The errors use the words of the original server and add where the trouble is:

    Invalid request: missing field `threadId`
    Invalid request: invalid type: integer `5`, expected a string at `threadId`
    Invalid request: unknown variant `x`, expected one of `a`, `b` at `input[0].type`

Everything refused here is an `InvalidRequest`. Surplus fields are ignored.
"""

from typing import Any, TypeVar

import msgspec

from app_server.protocol.catalog import CLIENT_METHODS, UNLISTED_METHODS
from app_server.protocol.errors import InvalidRequest
from app_server.protocol.method import ClientMethod, ServerMethod, ServerNotification, WireType

P = TypeVar("P")
R = TypeVar("R")

_decoders: dict[WireType, msgspec.json.Decoder[Any]] = {}


def decode_params(
    row: ClientMethod[P, Any] | ServerMethod[P, Any] | ServerNotification[P], params: Any
) -> P:
    """Read the params of a call: JSON bytes, a `msgspec.Raw`, plain values, or None if absent.

    A method without params ignores whatever it gets.
    """
    if row.params is None:
        return None  # type: ignore[return-value]  # P is None for such rows
    if params is None:
        raise InvalidRequest("Invalid request: missing field `params`")
    value: P = _read_or_refuse(row.params, params)
    return value


def decode_result(row: ClientMethod[Any, R] | ServerMethod[Any, R], result: Any) -> R:
    """Read the answer to a call: JSON bytes, a `msgspec.Raw` or plain values."""
    value: R = _read_or_refuse(row.result, result)
    return value


def unknown_method(name: str) -> InvalidRequest:
    """The answer to a request nobody declared."""
    listed = [method for method in CLIENT_METHODS if method not in UNLISTED_METHODS]
    known = ", ".join(f"`{method}`" for method in listed)
    return InvalidRequest(f"Invalid request: unknown variant `{name}`, expected one of {known}")


def _read_or_refuse(kind: WireType, source: Any) -> Any:
    try:
        return read(kind, source)
    except msgspec.ValidationError as error:
        from app_server.protocol.decode_errors import explain  # only when something is wrong

        raise InvalidRequest(f"Invalid request: {explain(error, kind, source)}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"Invalid request: {error}") from None
    except RecursionError:
        raise InvalidRequest("Invalid request: recursion limit exceeded") from None


def read(kind: WireType, source: Any) -> Any:
    """Read JSON bytes, a `msgspec.Raw` or plain values. Raises msgspec's errors."""
    try:
        return _read(kind, source)
    except msgspec.ValidationError:
        from app_server.protocol.first_tokens import in_todays_shape  # only when something is wrong

        older = in_todays_shape(kind, source)
        if older is None:
            raise
        return older


def _read(kind: WireType, source: Any) -> Any:
    if not isinstance(source, bytes | bytearray | memoryview | msgspec.Raw):
        return msgspec.convert(source, kind)
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    return decoder.decode(source)
