"""Which sign-ins an administrator's settings forbid, and what becomes of a stored one."""

from pathlib import Path

import msgspec
import pytest

from app_server.auth.credentials import Credentials
from app_server.auth.rules import violation
from app_server.auth.secret import Secret
from app_server.auth.store import FileStore, StoredAuth
from app_server.server.options import ServerOptions
from app_server.server.server import Server
from app_server.server.startup import config_warnings


class Settings(msgspec.Struct):
    forced_login_method: str | None = None
    forced_chatgpt_workspace_id: str | None = None


KEY = Credentials(mode="apikey", bearer=Secret("k"), source="store")
CHATGPT = Credentials(mode="chatgpt", bearer=Secret("t"), source="store", account_id="a")
HOMELESS = msgspec.structs.replace(CHATGPT, account_id=None)

FORBIDDEN = [
    (None, Settings("api"), None),
    (KEY, Settings("api", "w"), None),
    (CHATGPT, Settings("chatgpt", "a"), None),
    (CHATGPT, Settings("api"), "API key login is required"),
    (KEY, Settings("chatgpt"), "ChatGPT login is required"),
    (CHATGPT, Settings(None, "w"), "but current credentials belong to a. Logging out."),
    (HOMELESS, Settings(None, "w"), "lack a workspace identifier. Logging out."),
]


@pytest.mark.parametrize(("credentials", "settings", "words"), FORBIDDEN)
def test_what_is_forbidden(
    credentials: Credentials | None, settings: Settings, words: str | None
) -> None:
    text = violation(credentials, settings)  # type: ignore[arg-type]
    assert text is None if words is None else words in (text or "")


@pytest.mark.parametrize(("source", "remains"), [("cli", False), ("vscode", True)])
async def test_a_forbidden_sign_in_is_removed_when_a_terminal_session_begins(
    codex_home: Path, workspace: Path, source: str, remains: bool
) -> None:
    FileStore(codex_home).save(StoredAuth(auth_mode="apikey", api_key="sk-test"))
    (codex_home / "config.toml").write_text('forced_login_method = "chatgpt"\n')
    options = ServerOptions(codex_home=codex_home, cwd=workspace, session_source=source)  # type: ignore[arg-type]
    told = [warning.summary for _, warning in await config_warnings(Server(options))]
    assert any("ChatGPT login is required" in text for text in told) is not remains
    assert (codex_home / "auth.json").exists() is remains
