"""Whether this server can be reached from elsewhere."""

from typing import Literal, TypeAlias

from app_server.protocol.method import ServerNotification
from app_server.protocol.wire import Wire

RemoteControlConnectionStatus: TypeAlias = Literal["disabled", "connecting", "connected", "errored"]


class RemoteControlStatusChangedNotification(Wire):
    """Whether this server can be reached from elsewhere."""

    status: RemoteControlConnectionStatus
    environment_id: str | None = None
    server_name: str = ""
    installation_id: str = ""


REMOTE_CONTROL_STATUS_CHANGED = ServerNotification(
    "remoteControl/status/changed", RemoteControlStatusChangedNotification
)
