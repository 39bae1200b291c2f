"""Errors, warnings and other notices."""

from app_server.protocol.method import ServerNotification
from app_server.protocol.shared import Unsigned
from app_server.protocol.turn_error import TurnError
from app_server.protocol.wire import UNSET, Maybe, Wire


class ErrorNotification(Wire):
    """A turn met an error; with `will_retry` it goes on by itself."""

    error: TurnError
    will_retry: bool
    thread_id: str
    turn_id: str


class WarningNotification(Wire):
    """Something the user should know; the work goes on."""

    message: str
    thread_id: str | None = None


class DeprecationNoticeNotification(Wire):
    summary: str
    details: str | None = None


class TextPosition(Wire):
    """Line and column, both counted from 1."""

    line: Unsigned
    column: Unsigned


class TextRange(Wire):
    start: TextPosition
    end: TextPosition


class ConfigWarningNotification(Wire):
    """Something is wrong in the configuration."""

    summary: str
    details: str | None = None
    path: Maybe[str] = UNSET
    range: Maybe[TextRange] = UNSET


ERROR = ServerNotification("error", ErrorNotification)
WARNING = ServerNotification("warning", WarningNotification)
DEPRECATION_NOTICE = ServerNotification("deprecationNotice", DeprecationNoticeNotification)
CONFIG_WARNING = ServerNotification("configWarning", ConfigWarningNotification)
