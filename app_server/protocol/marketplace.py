"""Marketplaces: add, remove, upgrade."""

from app_server.protocol.method import ClientMethod, in_queue
from app_server.protocol.shared import AbsolutePathBuf
from app_server.protocol.wire import Wire


class MarketplaceAddParams(Wire):
    source: str
    ref_name: str | None = None
    sparse_paths: list[str] | None = None


class MarketplaceAddResponse(Wire):
    already_added: bool
    installed_root: AbsolutePathBuf
    marketplace_name: str


class MarketplaceRemoveParams(Wire):
    marketplace_name: str


class MarketplaceRemoveResponse(Wire):
    marketplace_name: str
    installed_root: AbsolutePathBuf | None = None


class MarketplaceUpgradeParams(Wire):
    marketplace_name: str | None = None


class MarketplaceUpgradeErrorInfo(Wire):
    marketplace_name: str
    message: str


class MarketplaceUpgradeResponse(Wire):
    errors: list[MarketplaceUpgradeErrorInfo]
    selected_marketplaces: list[str]
    upgraded_roots: list[AbsolutePathBuf]


MARKETPLACE_ADD = ClientMethod(
    "marketplace/add", MarketplaceAddParams, MarketplaceAddResponse, queue=in_queue("config")
)
MARKETPLACE_REMOVE = ClientMethod(
    "marketplace/remove",
    MarketplaceRemoveParams,
    MarketplaceRemoveResponse,
    queue=in_queue("config"),
)
MARKETPLACE_UPGRADE = ClientMethod(
    "marketplace/upgrade",
    MarketplaceUpgradeParams,
    MarketplaceUpgradeResponse,
    queue=in_queue("config"),
)
