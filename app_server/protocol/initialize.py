"""The handshake that begins a connection."""

from app_server.protocol.method import ClientMethod, ClientNotification
from app_server.protocol.shared import AbsolutePathBuf
from app_server.protocol.wire import Wire


class ClientInfo(Wire):
    name: str
    title: str | None = None
    version: str


class InitializeCapabilities(Wire):
    """What this client can take."""

    experimental_api: bool = False
    opt_out_notification_methods: list[str] | None = None


class InitializeParams(Wire):
    """The first message on a connection."""

    client_info: ClientInfo
    capabilities: InitializeCapabilities | None = None


class InitializeResponse(Wire):
    user_agent: str
    codex_home: AbsolutePathBuf
    platform_family: str
    platform_os: str


INITIALIZE = ClientMethod("initialize", InitializeParams, InitializeResponse)
INITIALIZED: ClientNotification[None] = ClientNotification("initialized", None)
