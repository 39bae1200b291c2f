"""Signing in with a real browser: Chromium without a window, from the service back to our page."""

import asyncio
import shutil
from pathlib import Path

import pytest

from app_server.auth.browser_login import BrowserLogin
from app_server.auth.exchange import Issuer as Address
from app_server.auth.store import StoredAuth
from app_server.model.http import HttpClients
from tests.support.issuer import Issuer

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Without the last ones it asks for hosts of its maker at every start; shared memory is scarce in
containers."""

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="not installed: chromium"),
    pytest.mark.xdist_group("machine"),
]


async def shown(address: str, profile: Path) -> str:
    """The page a browser ends on, as it stands in its memory."""
    assert CHROMIUM is not None
    browser = await asyncio.create_subprocess_exec(
        CHROMIUM,
        *FLAGS,
        f"--user-data-dir={profile}",
        "--dump-dom",
        address,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(100):
            page, _ = await browser.communicate()
    finally:
        if browser.returncode is None:
            browser.kill()
            await browser.wait()
    return page.decode()


async def test_a_browser_is_led_to_the_last_page_and_the_sign_in_is_kept(
    tmp_path: Path, issuer: Issuer
) -> None:
    kept: list[StoredAuth] = []
    async with (
        HttpClients({}) as http,
        BrowserLogin(
            http, Address(url=issuer.url), kept.append, originator="tests", ports=(0,)
        ) as login,
    ):
        page = await shown(login.auth_url, tmp_path)
        assert "<h1>Signed in to Codex</h1>" in page
        assert "You can close this page" in page
        assert [await login.wait()] == kept
    assert kept[0].tokens is not None
    assert kept[0].tokens.account_id == "acct-1"
