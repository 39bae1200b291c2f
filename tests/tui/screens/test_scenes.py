"""Pictures of the session at fixed sizes: text always, an SVG where colour is the point."""

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from app_server.protocol.account import ChatgptAccount
from app_server.protocol.rate_limits import RateLimitSnapshot, RateLimitWindow
from tests.tui.screens.session import Session, make_app, session
from tests.tui.scripted import ScriptedServer
from tui.app import CodexApp

SIZES = {"80x24": (80, 24), "120x40": (120, 40), "40x10": (40, 10)}


async def opening(s: Session) -> None:
    await s.see("gpt-5.5 medium ·")


async def answer(s: Session) -> None:
    await s.say("explain")
    await s.idle()
    await s.see("quoted, at last")


async def approval(s: Session) -> None:
    await s.say("ask rm -rf build")
    await s.see("Run this command?")


async def approval_edit(s: Session) -> None:
    await approval(s)
    s.later(1)
    await s.press("e")
    await s.see("│ rm -rf")
    await s.type(" build")
    await s.see("│ rm -rf build")


async def background(s: Session) -> None:
    for command in ("npm run dev", "make watch"):
        await s.say(f"serve {command}")
        await s.idle()
    s.later(65)
    await s.say("/ps")
    await s.see("In the background (2)")


async def patch(s: Session) -> None:
    await s.say("patch")
    await s.see("hello.py")
    await s.see("Make this change?")


async def slash(s: Session) -> None:
    await s.type("/")
    await s.see("choose the model")


async def working(s: Session) -> None:
    await s.say("hold")
    await s.see("holding on")
    await s.type("next")
    await s.press("tab")
    await s.type("a draft")
    await s.see("› a draft")


async def status(s: Session) -> None:
    await s.say("/status")
    await s.see("Signed in:")


async def shortcuts(s: Session) -> None:
    await s.type("?")
    await s.see("/ commands")


async def models(s: Session) -> None:
    await s.say("/model")
    await s.see("gpt-5.5-mini")


async def pasted(s: Session) -> None:
    s.app.chat.composer.pasted("x" * 1500)
    await s.type("and more")
    await s.see("[Pasted Content 1500 chars]and more")


SCENES = [
    opening,
    answer,
    approval,
    approval_edit,
    background,
    patch,
    slash,
    working,
    status,
    shortcuts,
    models,
    pasted,
]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
async def test_the_screen_reads(
    codex_home: Path, pytestconfig: pytest.Config, scene: Any, size: str
) -> None:
    async with session(codex_home, size=SIZES[size]) as s:
        await scene(s)
        await s.reads(f"session/{scene.__name__}-{size}", pytestconfig)


COLOURFUL = [answer, approval, approval_edit, background, patch, working]


@pytest.mark.parametrize("scene", COLOURFUL, ids=lambda f: f.__name__)
def test_the_screen_looks(
    codex_home: Path, pytestconfig: pytest.Config, snap_compare: Any, scene: Any
) -> None:
    server = ScriptedServer()
    app = make_app(str(codex_home), server)

    async def before(pilot: Pilot[Any]) -> None:
        assert isinstance(pilot.app, CodexApp)
        s = Session(pilot.app, pilot, server)
        await s.open()
        await scene(s)
        await s.reads(f"session/{scene.__name__}-80x24", pytestconfig)

    assert snap_compare(app, terminal_size=(80, 24), run_before=before)


async def first_run(s: Session) -> None:
    await s.see("Welcome to Codex")
    s.later(1)


async def api_key(s: Session) -> None:
    await first_run(s)
    await s.press("3")
    await s.see("╭─ API key")
    await s.type("sk-secret")
    await s.see("•••••••••")


async def browser_login(s: Session) -> None:
    await first_run(s)
    await s.press("2")
    await s.see("Open this address")


async def device_login(s: Session) -> None:
    await first_run(s)
    await s.press("1")
    await s.see("ABCD-1234")


async def failed_login(s: Session) -> None:
    await device_login(s)
    await s.server.end_login("login-1", "device auth timed out after 15 minutes")
    await s.see("It did not work")


SIGN_INS = [first_run, api_key, browser_login, device_login, failed_login]


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """A server where nobody is signed in, seen over ssh."""
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 22")
    server = ScriptedServer()
    server.requires_auth = True
    return server


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scene", SIGN_INS, ids=lambda scene: scene.__name__)
async def test_a_sign_in_reads(
    codex_home: Path, pytestconfig: pytest.Config, nobody: ScriptedServer, scene: Any, size: str
) -> None:
    options = {"opened": False, "connect_demo": nobody.connect, "size": SIZES[size]}
    async with session(codex_home, nobody, **options) as s:
        await scene(s)
        await s.reads(f"session/{scene.__name__}-{size}", pytestconfig)


@pytest.mark.parametrize("scene", SIGN_INS, ids=lambda scene: scene.__name__)
def test_a_sign_in_looks(
    codex_home: Path,
    pytestconfig: pytest.Config,
    snap_compare: Any,
    nobody: ScriptedServer,
    scene: Any,
) -> None:
    app = make_app(str(codex_home), nobody, connect_demo=nobody.connect)

    async def before(pilot: Pilot[Any]) -> None:
        assert isinstance(pilot.app, CodexApp)
        s = Session(pilot.app, pilot, nobody)
        await scene(s)
        await s.reads(f"session/{scene.__name__}-80x24", pytestconfig)

    assert snap_compare(app, terminal_size=(80, 24), run_before=before)


async def account_status(s: Session) -> None:
    window = {"primary": RateLimitWindow(used_percent=25, window_duration_mins=300)}
    s.server.limits = RateLimitSnapshot(
        **window, secondary=RateLimitWindow(used_percent=60, window_duration_mins=10_080)
    )
    await s.say("/status")
    await s.see("Weekly limit")


async def sign_out(s: Session) -> None:
    await s.say("/logout")
    await s.see("Sign out?")


async def sign_in_lost(s: Session) -> None:
    await s.say("expire please")
    await s.see("Your sign-in no longer works")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "scene", [account_status, sign_out, sign_in_lost], ids=lambda scene: scene.__name__
)
async def test_an_account_reads(
    codex_home: Path, pytestconfig: pytest.Config, nobody: ScriptedServer, scene: Any, size: str
) -> None:
    nobody.account = ChatgptAccount(email="me@example.com", plan_type="pro")
    async with session(codex_home, nobody, size=SIZES[size]) as s:
        await scene(s)
        await s.reads(f"session/{scene.__name__}-{size}", pytestconfig)


async def test_the_trust_question_reads(codex_home: Path, pytestconfig: pytest.Config) -> None:
    async with session(codex_home, ScriptedServer(trusted=False), opened=False) as s:
        await s.see("Do you trust this folder?")
        await s.reads("session/trust-80x24", pytestconfig)
