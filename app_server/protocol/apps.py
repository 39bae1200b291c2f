"""Apps connected to the account."""

from app_server.protocol.method import ClientMethod, ServerNotification
from app_server.protocol.shared import Unsigned32
from app_server.protocol.wire import Wire


class AppBranding(Wire):
    is_discoverable_app: bool
    category: str | None = None
    developer: str | None = None
    privacy_policy: str | None = None
    terms_of_service: str | None = None
    website: str | None = None


class AppReview(Wire):
    status: str


class AppScreenshot(Wire):
    user_prompt: str
    file_id: str | None = None
    url: str | None = None


class AppMetadata(Wire):
    categories: list[str] | None = None
    developer: str | None = None
    first_party_requires_install: bool | None = None
    first_party_type: str | None = None
    review: AppReview | None = None
    screenshots: list[AppScreenshot] | None = None
    seo_description: str | None = None
    show_in_composer_when_unlinked: bool | None = None
    sub_categories: list[str] | None = None
    version: str | None = None
    version_id: str | None = None
    version_notes: str | None = None


class AppInfo(Wire):
    id: str
    name: str
    description: str | None = None
    logo_url: str | None = None
    logo_url_dark: str | None = None
    distribution_channel: str | None = None
    branding: AppBranding | None = None
    app_metadata: AppMetadata | None = None
    labels: dict[str, str] | None = None
    install_url: str | None = None
    is_accessible: bool = False
    is_enabled: bool = True
    plugin_display_names: list[str] = []


class AppsListParams(Wire):
    thread_id: str | None = None
    cursor: str | None = None
    force_refetch: bool = False
    limit: Unsigned32 | None = None


class AppsListResponse(Wire):
    data: list[AppInfo]
    next_cursor: str | None = None


class AppListUpdatedNotification(Wire):
    data: list[AppInfo]


APP_LIST = ClientMethod("app/list", AppsListParams, AppsListResponse)
APP_LIST_UPDATED = ServerNotification("app/list/updated", AppListUpdatedNotification)
