"""Questions from the agent: approvals, keys typed ahead, the full view."""

from pathlib import Path

import pytest

from app_server.protocol.approvals import CommandExecutionRequestApprovalParams
from app_server.protocol.permissions import (
    AskForApproval,
    DangerFullAccessSandboxPolicy,
    ReadOnlySandboxPolicy,
    SandboxPolicy,
    WorkspaceWriteSandboxPolicy,
)
from app_server.protocol.turn import TURN_INTERRUPT, TURN_STEER
from tests.tui.screens.session import session
from tui.state.actions import SetPermissions
from tui.state.events import Asked
from tui.widgets.questions.approval import Approval


@pytest.mark.parametrize(
    ("key", "decision"), [("y", "accept"), ("a", "acceptForSession"), ("d", "decline"),
                          ("n", "cancel"), ("escape", "cancel"), ("1", "accept"), ("4", "decline")],
)  # fmt: skip
async def test_a_key_answers_the_question_about_a_command(
    codex_home: Path, key: str, decision: str
) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("ask make install")
        await s.see("Run this command?")
        assert "$ make install" in s.text
        s.later(1)
        await s.press(key)
        await s.see(f"The decision was {decision}")
        assert s.server.decisions == [decision]
        assert "Run this command?" not in s.text


async def test_arrows_and_enter_choose_an_answer(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("patch")
        await s.see("Make this change?")
        assert "print('hello')" in s.text
        s.later(1)
        await s.press("down", "down", "enter")
        await s.see("The decision was decline")


async def test_what_to_do_instead_is_said_along_with_the_no(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("ask rm -rf build")
        await s.see("Run this command?")
        s.later(1)
        await s.press("t")
        await s.see("No, and tell Codex what to do instead:")
        await s.press("enter")
        await s.see("Write what to do instead.")
        await s.type("yes, clean up with make")
        await s.press("enter")
        await s.until(lambda: s.requests(TURN_STEER.name))
        await s.until(lambda: s.server.decisions == ["decline"])
        (steered,) = s.requests(TURN_STEER.name)
        assert steered.input[0].text == "yes, clean up with make"
        assert "✗ You did not allow Codex to run rm -rf build" in s.text


async def test_leaving_the_line_asks_again_without_an_answer(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("ask")
        await s.see("Run this command?")
        s.later(1)
        await s.press("t", "n", "o", "escape")
        await s.until(lambda: "│ no" not in s.text)
        assert s.server.decisions == []
        await s.press("d")
        await s.until(lambda: s.server.decisions == ["decline"])


async def test_a_second_question_waits_with_a_count_and_takes_no_key_of_the_first(
    codex_home: Path,
) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("both")
        await s.see("Run this command?  (1 more to answer)")
        s.later(1)
        await s.press("y")
        await s.see("$ make two")
        assert "more to answer" not in s.text
        await s.until(lambda: s.server.decisions == ["accept"])
        await s.press("y")
        assert s.server.decisions == ["accept"]
        s.later(1)
        await s.press("d")
        await s.until(lambda: s.server.decisions == ["accept", "decline"])


async def test_a_question_of_another_conversation_is_asked_by_its_name(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        params = CommandExecutionRequestApprovalParams(
            thread_id="thread-9", turn_id="turn-9", item_id="call-9", command="make there"
        )
        s.app.take([Asked(id="elsewhere", params=params)])
        await s.see("Run this command?  (in thread-9)")
        assert "$ make there" in s.text
        assert "tell Codex" not in s.text


async def test_the_end_of_a_command_too_long_to_show_is_seen(codex_home: Path) -> None:
    async with session(codex_home) as s:
        await s.say("ask make " + "target " * 300 + "; rm -rf ~")
        await s.see("Run this command?")
        assert "$ make target" in s.text
        assert "lines (ctrl + a for everything)" in s.text
        assert "; rm -rf ~" in s.text
        assert "in /work/project" in s.text


@pytest.mark.parametrize(
    ("sandbox", "policy", "said"),
    [
        (DangerFullAccessSandboxPolicy(), "never", "no sandbox: any of your files, and the networ"),
        (WorkspaceWriteSandboxPolicy(), "on-request", "may leave the sandbox: any of your files"),
        (
            WorkspaceWriteSandboxPolicy(writable_roots=["/data"], network_access=True),
            "untrusted",
            "first in the sandbox, where it writes in this folder, /data, /tmp and reaches",
        ),
        (ReadOnlySandboxPolicy(), "untrusted", "where it writes nothing and has no network"),
    ],
)
async def test_what_a_command_could_touch_is_said(
    codex_home: Path, sandbox: SandboxPolicy, policy: AskForApproval, said: str
) -> None:
    async with session(codex_home, size=(120, 40)) as s:
        s.app.act(SetPermissions(approval_policy=policy, sandbox=sandbox))
        await s.say("ask")
        await s.see("Run this command?")
        assert said in s.text


async def test_the_full_view_of_a_question_cuts_nothing_on_a_narrow_screen(
    codex_home: Path,
) -> None:
    async with session(codex_home, size=(40, 20)) as s:
        s.app.act(
            SetPermissions(
                approval_policy="on-request",
                sandbox=WorkspaceWriteSandboxPolicy(writable_roots=["/data"]),
            )
        )
        await s.say("ask")
        await s.see("Run this command?")
        s.later(1)
        await s.press("ctrl+a")
        await s.see("/ A P P R O V A L")
        await s.see("and the network")
        assert "q closes" in s.text


async def test_keys_typed_ahead_do_not_answer_and_are_kept(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("ask")
        await s.see("Run this command?")
        await s.press(*"yes", "enter")
        assert s.server.decisions == []
        s.later(1)
        await s.press("n")
        await s.until(lambda: s.server.decisions == ["cancel"])
        await s.idle()
        assert s.draft == "yes"


async def test_an_answer_that_came_too_early_leaves_nothing_in_the_draft(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("ask")
        await s.see("Run this command?")
        await s.press("y", "y")
        assert s.server.decisions == []
        s.later(1)
        await s.press("y")
        await s.see("The decision was accept")
        assert s.draft == ""


async def test_a_prefix_can_be_allowed_for_good(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("ask")
        await s.see("always allow commands that start with: rm -rf")
        s.later(1)
        await s.press("p")
        await s.until(lambda: s.server.decisions)
        amendment = s.server.decisions[0].accept_with_execpolicy_amendment
        assert amendment.execpolicy_amendment == ["rm", "-rf"]


async def test_the_prefix_can_be_changed_before_it_is_allowed(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("ask rm -rf 'build dir'")
        await s.see("always allow commands that start with: rm -rf (p, e to edit)")
        s.later(1)
        await s.press("e")
        await s.see("│ rm -rf")
        await s.type(" 'build")
        await s.press("enter")
        await s.see("A quote is open")
        assert s.server.decisions == []
        await s.type(" dir'")
        await s.press("enter")
        await s.see("The decision was a rule")
        amendment = s.server.decisions[0].accept_with_execpolicy_amendment
        assert amendment.execpolicy_amendment == ["rm", "-rf", "build dir"]
        assert "always run commands that start with rm -rf 'build dir'" in s.text


async def test_on_a_small_screen_the_prefix_is_changed_in_its_own_line(codex_home: Path) -> None:
    async with session(codex_home, size=(40, 10)) as s:
        await s.say("ask rm -rf build")
        await s.see("Run this command?")
        s.later(1)
        await s.press("e", "ctrl+w")
        await s.see("│ rm -")
        assert "enter to answer · esc to go back" in s.text
        await s.press("ctrl+w", "ctrl+u", "r", "m", "enter")
        await s.until(lambda: s.server.decisions)
        amendment = s.server.decisions[0].accept_with_execpolicy_amendment
        assert amendment.execpolicy_amendment == ["rm"]


@pytest.mark.parametrize(
    ("written", "why"),
    [("ls", "it does not cover the command"), ("sudo", "it would allow nearly anything to run")],
)
async def test_a_rule_that_would_not_be_kept_is_said_while_it_is_written(
    written: str, why: str, codex_home: Path
) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("ask rm -rf build")
        await s.see("Run this command?")
        s.later(1)
        await s.press("e", "ctrl+u")
        await s.type(written)
        await s.press("enter")
        await s.see(f"Such a rule is not kept: {why}")
        assert s.server.decisions == []
        await s.press("escape")
        await s.see("enter to choose")
        await s.press("d")
        await s.see("The decision was decline")


async def test_everything_can_be_seen_before_answering(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("patch")
        await s.see("Make this change?")
        s.later(1)
        await s.press("ctrl+a")
        await s.see("A P P R O V A L")
        assert "+print('hello')" in s.text
        await s.press("q")
        await s.see("Make this change?")
        await s.press("y")
        await s.see("The decision was accept")


async def test_what_cannot_be_seen_is_marked_in_the_full_view_too(codex_home: Path) -> None:
    params = CommandExecutionRequestApprovalParams(
        thread_id="thread-1",
        turn_id="turn-1",
        item_id="call-1",
        command="make\u3164",
        cwd="/w\ufe00",
        reason="Safe\u3164.",
    )
    async with session(codex_home, size=(80, 40)) as s:
        s.app.take([Asked(id="hidden", params=params)])
        await s.see("Run this command?")
        s.later(1)
        await s.press("ctrl+a")
        await s.see("A P P R O V A L")
        for shown in ("make⟨U+3164⟩", "Reason: Safe⟨U+3164⟩.", "/w⟨U+FE00⟩"):
            assert shown in s.text


ANSWERS = "› y yes  a session  d no  t tell  n stop"


@pytest.mark.parametrize("full_screen", [True, False], ids=["full", "inline"])
async def test_on_a_small_screen_a_change_its_answers_and_the_way_to_all_of_it_are_seen(
    codex_home: Path, full_screen: bool
) -> None:
    async with session(codex_home, size=(40, 10), full_screen=full_screen) as s:
        await s.say("patch 30")
        await s.see("Make this change?")
        assert "Wants to add hello.py (+30 -0)" in s.text
        assert " 1 +print('hello')" in s.text
        assert f"{ANSWERS}\n  ctrl + a for 28 more · esc to stop" in s.text
        s.later(1)
        await s.press("down", "down")
        await s.see("  y yes  a session› d no  t tell  n stop")
        await s.press("ctrl+a")
        await s.see("A P P R O V A L")
        await s.press("q")
        await s.see("Make this change?")
        await s.press("enter")
        await s.until(lambda: s.server.decisions == ["decline"])


async def test_on_a_small_screen_every_answer_about_a_long_command_is_seen(
    codex_home: Path,
) -> None:
    async with session(codex_home, size=(40, 10)) as s:
        await s.say("ask make " + "target " * 20)
        await s.see("Run this command?")
        assert "$ make target" in s.text
        assert (
            "› y yes  a session  p always  d no\n  t tell  n stop\n  ctrl + a for 6 more" in s.text
        )
        s.later(1)
        await s.press("p")
        await s.until(lambda: s.server.decisions)


@pytest.mark.parametrize("height", range(1, 20))
async def test_the_answers_are_seen_however_low_the_screen_is(
    codex_home: Path, height: int
) -> None:
    async with session(codex_home, size=(60, 30)) as s:
        await s.say("patch 30")
        await s.see("Make this change?")
        await s.pilot.resize_terminal(60, height)
        panel = s.app.chat.query_one(Approval)
        room = max(2, height - 4)
        await s.until(lambda: len(panel.lines) <= room)
        text = "\n".join(line.text for line in panel.lines)
        assert ANSWERS in text or "5. No, and stop" in text
        assert "ctrl + a" in text or room < 4
        assert "+print('hello')" in text or ANSWERS not in text or room < 5


async def test_a_withdrawn_question_disappears(codex_home: Path) -> None:
    async with session(codex_home, size=(80, 40)) as s:
        await s.say("ask")
        await s.see("Run this command?")
        await s.server.interrupt_from_elsewhere()
        await s.until(lambda: "Run this command?" not in s.text)
        assert s.requests(TURN_INTERRUPT.name) == []
        await s.type("free again")
        assert s.draft == "free again"
