"""Model items passed on unread."""

from app_server.protocol.method import ServerNotification
from app_server.protocol.shared import ResponseItemObject
from app_server.protocol.wire import Wire


class RawResponseItemCompletedNotification(Wire):
    """A model item as the service sent it, for clients that asked for raw events."""

    thread_id: str
    turn_id: str
    item: ResponseItemObject


RAW_RESPONSE_ITEM_COMPLETED = ServerNotification(
    "rawResponseItem/completed", RawResponseItemCompletedNotification
)
