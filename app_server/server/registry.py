"""The table of handlers: which function answers which method.

A handler registers itself with `@handles(ROW)`. Its module is imported when its method is first
called, so a method nobody calls costs nothing. What has no handler is named here too, with the
words its callers get; a test holds the three tables against the catalogue.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from app_server.protocol.errors import InvalidRequest
from app_server.protocol.method import ClientMethod

if TYPE_CHECKING:
    from app_server.server.context import RequestContext

P = TypeVar("P")
R = TypeVar("R")

Handler: TypeAlias = "Callable[[RequestContext, Any], Awaitable[Any]]"

HANDLER_MODULES: dict[str, str] = {
    "initialize": "initialize",
    "thread/start": "threads",
    "thread/resume": "threads",
    "thread/fork": "threads",
    "thread/unsubscribe": "threads",
    "thread/list": "thread_lists",
    "thread/loaded/list": "thread_lists",
    "thread/read": "thread_lists",
    "thread/turns/list": "thread_lists",
    "thread/name/set": "thread_edits",
    "thread/metadata/update": "thread_edits",
    "thread/archive": "thread_edits",
    "thread/unarchive": "thread_edits",
    "thread/rollback": "thread_edits",
    "thread/inject_items": "thread_edits",
    "thread/compact/start": "thread_commands",
    "thread/shellCommand": "thread_commands",
    "thread/approveGuardianDeniedAction": "thread_commands",
    "thread/backgroundTerminals/clean": "thread_commands",
    "thread/backgroundTerminals/list": "thread_commands",
    "thread/backgroundTerminals/terminate": "thread_commands",
    "turn/start": "turns",
    "turn/steer": "turns",
    "turn/interrupt": "turns",
    "model/list": "models",
    "account/read": "account",
    "account/login/start": "login",
    "account/login/cancel": "login",
    "account/login/complete": "login",
    "loginApiKey": "legacy",
    "loginChatGpt": "legacy",
    "cancelLoginChatGpt": "legacy",
    "logoutChatGpt": "legacy",
    "userInfo": "legacy",
    "account/logout": "account",
    "account/rateLimits/read": "account",
    "account/sendAddCreditsNudgeEmail": "account",
    "getAuthStatus": "account",
    "config/read": "config",
    "config/value/write": "config",
    "config/batchWrite": "config",
    "configRequirements/read": "requirements",
    "experimentalFeature/list": "features",
    "experimentalFeature/enablement/set": "features",
    "fuzzyFileSearch": "file_search",
    "fuzzyFileSearch/sessionStart": "file_search",
    "fuzzyFileSearch/sessionUpdate": "file_search",
    "fuzzyFileSearch/sessionStop": "file_search",
    "command/exec": "command_exec",
    "command/exec/write": "command_exec",
    "command/exec/resize": "command_exec",
    "command/exec/terminate": "command_exec",
    "fs/readFile": "files",
    "fs/writeFile": "files",
    "fs/createDirectory": "files",
    "fs/getMetadata": "files",
    "fs/readDirectory": "files",
    "fs/remove": "files",
    "fs/copy": "files",
    "fs/watch": "file_watches",
    "fs/unwatch": "file_watches",
    "app/list": "apps",
    "plugin/list": "apps",
    "marketplace/remove": "apps",
    "marketplace/upgrade": "apps",
    "collaborationMode/list": "models",
    "modelProvider/capabilities/read": "models",
    "config/mcpServer/reload": "mcp",
    "mcpServerStatus/list": "mcp",
    "mcpServer/oauth/login": "mcp",
    "mcpServer/resource/read": "mcp",
    "mcpServer/tool/call": "mcp",
    "feedback/upload": "feedback",
    "getConversationSummary": "conversations",
    "gitDiffToRemote": "conversations",
    "hooks/list": "hooks",
    "skills/list": "skills",
    "skills/config/write": "skills",
    "mock/experimentalMethod": "experiments",
    "thread/increment_elicitation": "thread_commands",
    "review/start": "reviews",
    "sandbox/read": "sandbox",
    "thread/decrement_elicitation": "thread_commands",
}
"""Method → the module in `handlers` that answers it."""

NOT_OURS = frozenset(
    {
        "device/key/create",
        "device/key/public",
        "device/key/sign",
        "externalAgentConfig/detect",
        "externalAgentConfig/import",
        "thread/realtime/start",
        "thread/realtime/appendAudio",
        "thread/realtime/appendText",
        "thread/realtime/stop",
        "thread/realtime/listVoices",
        "windowsSandbox/setupStart",
    }
)
"""Methods this server does not mean to offer."""

NOT_YET = frozenset(
    {
        "marketplace/add",
        "memory/reset",
        "plugin/install",
        "plugin/read",
        "plugin/uninstall",
        "thread/goal/clear",
        "thread/goal/get",
        "thread/goal/set",
        "thread/memoryMode/set",
    }
)
"""Methods a later release will answer."""

_handlers: dict[str, Handler] = {}


def handles(
    row: ClientMethod[P, R],
) -> Callable[
    [Callable[[RequestContext, P], Awaitable[R]]], Callable[[RequestContext, P], Awaitable[R]]
]:
    """Makes a function the handler of a method; two for one method are an error."""

    def register(
        handler: Callable[[RequestContext, P], Awaitable[R]],
    ) -> Callable[[RequestContext, P], Awaitable[R]]:
        if row.name in _handlers:
            raise ValueError(f"two handlers for {row.name}")
        _handlers[row.name] = handler
        return handler

    return register


def handler_of(method: str) -> Handler:
    """The handler of a declared method, importing its module if need be.

    Raises `InvalidRequest` naming the method where there is none.
    """
    handler = _handlers.get(method)
    if handler is not None:
        return handler
    module = HANDLER_MODULES.get(method)
    if module is not None:
        import_module(f"app_server.server.handlers.{module}")
        return _handlers[method]
    if method in NOT_OURS:
        raise InvalidRequest(f"`{method}` is not offered by this server")
    raise InvalidRequest(f"`{method}` is not implemented yet in this release")
