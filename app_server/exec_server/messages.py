"""Messages of the process service: typed bodies to lines of JSON, and back.

Messages have the four shapes of JSON-RPC without the "jsonrpc" member. Params are decoded into
their types before anything else looks at them; what does not decode is refused with the decoder's
own words. Knows the methods by name and nothing of what they do.
"""

from __future__ import annotations

from typing import Any

import msgspec

from app_server.exec_server import environment_methods, protocol
from app_server.exec_server.protocol import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    Body,
    MessageId,
    Notification,
    ServiceError,
)

_METHOD_OF: dict[type[Body], str] = {
    protocol.OutputNotification: "process/output",
    protocol.ExitedNotification: "process/exited",
    protocol.ClosedNotification: "process/closed",
    protocol.StartedNotification: "process/started",
    protocol.FailedNotification: "process/failed",
    protocol.BodyDeltaNotification: "http/request/bodyDelta",
    protocol.MissingChangedNotification: "fs/missingChanged",
}
EVENTS: dict[str, type[Body]] = {
    "process/output": protocol.ReceivedOutput,
    "process/exited": protocol.ExitedNotification,
    "process/closed": protocol.ClosedNotification,
    "process/started": protocol.StartedNotification,
    "process/failed": protocol.FailedNotification,
}
"""What a client hears, by method; anything else is passed over."""

_REQUEST_PARAMS: dict[str, type[Body]] = {
    "initialize": protocol.InitializeParams,
    "process/start": protocol.StartParams,
    "process/read": protocol.ReadParams,
    "process/write": protocol.WriteParams,
    "process/terminate": protocol.TerminateParams,
    "process/closeStdin": protocol.CloseStdinParams,
    "process/resize": protocol.ResizeParams,
    "process/wait": protocol.WaitParams,
    "process/snapshot": protocol.SnapshotParams,
    "process/holdOutput": protocol.HoldOutputParams,
    "process/signal": protocol.SignalParams,
    "http/request": protocol.HttpRequestParams,
    "environmentConfig/read": environment_methods.EnvironmentConfigReadParams,
}

_decoders: dict[type[Body], msgspec.json.Decoder[Any]] = {}
_encoder = msgspec.json.Encoder()


class Message(msgspec.Struct, frozen=True):
    """One message as it arrived; which shape it has shows by which fields are there."""

    id: MessageId | None = None
    method: str | None = None
    params: msgspec.Raw = msgspec.Raw()
    result: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


class _StartForm(msgspec.Struct, frozen=True):
    """The members by which the forms of `process/start` are told apart."""

    request: msgspec.Raw = msgspec.Raw()
    io: msgspec.Raw = msgspec.Raw()


class ErrorBody(msgspec.Struct, frozen=True):
    code: int
    message: str


class _OutputLine(msgspec.Struct, frozen=True):
    params: protocol.ReceivedOutput


_OUTPUT_BEGINNING = b'{"method":"process/output"'
_output_decoder = msgspec.json.Decoder(_OutputLine)
_start_form_decoder = msgspec.json.Decoder(_StartForm | None)
_message_decoder = msgspec.json.Decoder(Message)


def read_message(text: bytes) -> Message:
    """Read one message. Raises `ValueError` if it is none."""
    try:
        message = _message_decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if message.method is None and not bytes(message.result) and not bytes(message.error):
        raise ValueError("data did not match any variant of untagged enum JSONRPCMessage")
    return message


def read_output(line: bytes) -> protocol.ReceivedOutput | None:
    """What a line tells of output, read in one go; None for any other line, and for garbage."""
    if not line.startswith(_OUTPUT_BEGINNING):
        return None
    try:
        return _output_decoder.decode(line).params
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def read_params(method: str, params: msgspec.Raw) -> Body:
    """The typed params of a request. Raises `ServiceError`, with `METHOD_NOT_FOUND` for unknown."""
    kind = _REQUEST_PARAMS.get(method)
    if kind is None and method.startswith("fs/"):
        from app_server.exec_server.file_methods import FILE_METHODS

        kind = FILE_METHODS.get(method)
    elif method == "environment/info":
        return environment_methods.EnvironmentInfoParams()
    if kind is None:
        raise ServiceError(METHOD_NOT_FOUND, method)
    try:
        if kind is protocol.StartParams:
            kind = _form_of_start(params)
        body: Body = read_body(kind, params)
    except (msgspec.ValidationError, UnicodeDecodeError, RecursionError) as error:
        raise ServiceError(INVALID_PARAMS, str(error)) from None
    return body


def _form_of_start(params: msgspec.Raw) -> type[Body]:
    form: _StartForm | None = _start_form_decoder.decode(bytes(params) or b"null")
    if form is not None and bytes(form.request) not in (b"", b"null"):
        return protocol.PreparedStartParams
    if form is not None and bytes(form.io) not in (b"", b"null"):
        return protocol.DirectStartParams
    return protocol.StartParams


def read_body(kind: type[Any], raw: msgspec.Raw) -> Any:
    """Read a body of this type; an absent one counts as null."""
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    return decoder.decode(bytes(raw) or b"null")


def request_line(message_id: MessageId, method: str, params: Body) -> bytes:
    return _line({"id": message_id, "method": method, "params": params})


def notification_line(method: str, params: object) -> bytes:
    return _line({"method": method, "params": params})


def result_line(message_id: MessageId, result: Body) -> bytes:
    return _line({"id": message_id, "result": result})


def error_line(message_id: MessageId, error: ServiceError) -> bytes:
    return _line({"id": message_id, "error": {"code": error.code, "message": error.message}})


def service_line(notification: Notification) -> bytes:
    """A notification of the service, as one line."""
    return notification_line(_METHOD_OF[type(notification)], notification)


def _line(value: object) -> bytes:
    return _encoder.encode(value) + b"\n"
