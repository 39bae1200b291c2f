"""Frames to JSON bytes and back, by the catalogue's tables.

A codec stands at one end of a conversation and knows which names the other end may use. There is no
"jsonrpc" member: it is ignored when read and never written. What is not one of the four shapes is
dropped with a log line, and so is text that is not UTF-8, not JSON, or nested beyond reason. A
request whose body is wrong keeps its id, so that it can be answered. Nothing here raises for
anything that arrived.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar, cast

import msgspec

from app_server.protocol import catalog
from app_server.protocol.decode import decode_params, unknown_method
from app_server.protocol.errors import INTERNAL_ERROR, InvalidRequest, RpcError, rpc_error
from app_server.protocol.method import (
    ClientMethod,
    ClientNotification,
    ServerMethod,
    ServerNotification,
)
from app_server.rpc.frames import (
    ErrorFrame,
    Frame,
    NotificationFrame,
    RequestFrame,
    RequestId,
    ResultFrame,
    UnreadableRequest,
)

log = logging.getLogger(__name__)

LARGEST_ID = 2**63 - 1

MethodRow = ClientMethod[Any, Any] | ServerMethod[Any, Any]
NotificationRow = ClientNotification[Any] | ServerNotification[Any]
RowT = TypeVar("RowT")


class Codec(Protocol):
    """One end's way of writing and reading."""

    def encode(self, frame: Frame) -> bytes:
        """One JSON object, without a newline in it."""
        ...

    def decode(self, text: bytes) -> Frame | None:
        """What the other end said; None for anything that asks for no reaction."""
        ...


class JsonCodec:
    """A codec for one pair of tables: what may be asked and what may be told, by name."""

    def __init__(
        self,
        method_row: Callable[[str], MethodRow | None],
        notification_row: Callable[[str], NotificationRow | None],
    ) -> None:
        self._methods: _RowCache[MethodRow] = _RowCache(method_row)
        self._notifications: _RowCache[NotificationRow] = _RowCache(notification_row)

    def encode(self, frame: Frame) -> bytes:
        if isinstance(frame, NotificationFrame):
            envelope: msgspec.Struct = _Notification(frame.method, frame.params)
        elif isinstance(frame, ResultFrame):
            envelope = _Result(frame.id, {} if frame.result is None else frame.result)
        elif isinstance(frame, RequestFrame):
            envelope = _Request(frame.method, frame.id, frame.params)
        else:
            error = frame.error
            envelope = _Error(_ErrorBody(error.code, error.message, error.data), frame.id)
        return to_json(envelope)

    def decode(self, text: bytes) -> Frame | None:
        envelope = _read_envelope(text)
        if envelope is None:
            return None
        request_id = _request_id(envelope.id)
        if envelope.method is not None:
            if request_id is None:
                return self._notification(envelope.method, envelope.params)
            return self._request(request_id, envelope.method, envelope.params)
        if request_id is None:
            log.debug("dropped a message that is none of the four shapes")
            return None
        if bytes(envelope.error):
            return ErrorFrame(request_id, _error(envelope.error))
        if bytes(envelope.result):
            return ResultFrame(request_id, envelope.result)
        log.debug("dropped a message that has an id and nothing else")
        return None

    def _request(self, request_id: RequestId, method: str, params: msgspec.Raw) -> Frame:
        row = self._methods.find(method)
        if row is None:
            return UnreadableRequest(request_id, unknown_method(method))
        try:
            return RequestFrame(request_id, method, decode_params(row, _given(params)))
        except RpcError as error:
            return UnreadableRequest(request_id, error)
        except (ValueError, RecursionError) as error:
            return UnreadableRequest(request_id, InvalidRequest(f"Invalid request: {error}"))

    def _notification(self, method: str, params: msgspec.Raw) -> Frame | None:
        row = self._notifications.find(method)
        if row is None:
            log.debug("ignored the unknown notification %.80s", method)
            return None
        if row.params is None:
            return NotificationFrame(method)
        try:
            told = cast(ServerNotification[Any], row)
            return NotificationFrame(method, decode_params(told, _given(params)))
        except (RpcError, ValueError, RecursionError) as error:
            log.warning("ignored a notification %s that could not be read: %s", method, error)
            return None


def server_codec() -> JsonCodec:
    """The codec of the end that clients talk to."""
    return JsonCodec(catalog.client_method, catalog.client_notification)


def client_codec() -> JsonCodec:
    """The codec of the end that talks to a server."""
    return JsonCodec(catalog.server_method, catalog.server_notification)


class _RowCache(Generic[RowT]):
    """Rows by name, remembered once found; unknown names are not, so they cost no memory."""

    def __init__(self, look_up: Callable[[str], RowT | None]) -> None:
        self._look_up = look_up
        self._found: dict[str, RowT] = {}

    def find(self, name: str) -> RowT | None:
        row = self._found.get(name)
        if row is None:
            row = self._look_up(name)
            if row is not None:
                self._found[name] = row
        return row


class _Incoming(msgspec.Struct):
    id: msgspec.Raw = msgspec.Raw()
    method: str | None = None
    params: msgspec.Raw = msgspec.Raw()
    result: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


class _Request(msgspec.Struct, omit_defaults=True):
    method: str
    id: RequestId
    params: object = None


class _Notification(msgspec.Struct, omit_defaults=True):
    method: str
    params: object = None


class _Result(msgspec.Struct):
    id: RequestId
    result: object


class _ErrorBody(msgspec.Struct, omit_defaults=True):
    code: int
    message: str
    data: object = None


class _Error(msgspec.Struct):
    error: _ErrorBody
    id: RequestId


_encoder = msgspec.json.Encoder()
_envelope_decoder = msgspec.json.Decoder(_Incoming)
_error_decoder = msgspec.json.Decoder(_ErrorBody)


def to_json(value: object) -> bytes:
    """A value of the protocol as it travels. Raises what `msgspec` raises for what it cannot."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(_without_surrogates(msgspec.to_builtins(value)))


def _read_envelope(text: bytes) -> _Incoming | None:
    try:
        if not text.isascii():
            text.decode()
        return _envelope_decoder.decode(text)
    except UnicodeDecodeError:
        log.debug("dropped a message of %d bytes that is not UTF-8", len(text))
    except RecursionError:
        log.debug("dropped a message of %d bytes that is nested too deeply", len(text))
    except msgspec.ValidationError:
        log.debug("dropped a message that is none of the four shapes")
    except msgspec.DecodeError as error:
        if b"\\u" in text:
            return _read_lone_surrogates(text)
        log.debug("dropped a message that is not JSON: %s", error)
    return None


def _read_lone_surrogates(text: bytes) -> _Incoming | None:
    """Read what only the standard parser takes: half a surrogate pair, put right on the way."""
    import json  # only for such text

    try:
        plain = json.loads(text, parse_constant=_refuse_constant)
        return _envelope_decoder.decode(_encoder.encode(_without_surrogates(plain)))
    except (ValueError, RecursionError, msgspec.MsgspecError):
        log.debug("dropped a message of %d bytes that is not JSON", len(text))
        return None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_SURROGATE = re.compile("[\ud800-\udfff]")


def _without_surrogates(value: Any) -> Any:
    """The value with halves of surrogate pairs replaced, which UTF-8 cannot carry."""
    match value:
        case str():
            return _SURROGATE.sub("\ufffd", value)
        case list() | tuple():
            return [_without_surrogates(each) for each in value]
        case dict():
            return {
                _without_surrogates(key): _without_surrogates(each) for key, each in value.items()
            }
        case _:
            return value


def _request_id(raw: msgspec.Raw) -> RequestId | None:
    """A string or an integer of 64 bits; anything else is no id."""
    if not bytes(raw):
        return None
    try:
        value = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    if isinstance(value, int) and abs(value) > LARGEST_ID:
        return None
    return value


def _given(params: msgspec.Raw) -> msgspec.Raw | None:
    return params if bytes(params) else None


def _error(raw: msgspec.Raw) -> RpcError:
    try:
        body = _error_decoder.decode(raw)
    except (ValueError, RecursionError):
        return rpc_error(INTERNAL_ERROR, "the other side answered with an error we cannot read")
    return rpc_error(body.code, body.message, body.data)
