"""What the inline face commits: everything once, in order, and nothing that changes later."""

import random

import msgspec
import pytest

from tests.tui.cells.samples import MARKDOWN, SAMPLES
from tests.tui.state.conversation import (
    THREAD,
    command,
    completed,
    open_screen,
    said,
    turn_began,
    turn_ended,
)
from tests.tui.state.recorded import Screen, heard, play
from tui.cells.commit import SHOWN_AGAIN, STARTED_AGAIN, Committer, lines_of
from tui.cells.draw import plain
from tui.state.actions import Say
from tui.state.cells import AgentMessageCell
from tui.state.thread import ThreadState
from tui.text.palette import TERMINAL

RECORDED = [
    "plain_turn",
    "reasoning_summary",
    "command_fails",
    "commentary_then_command",
    "command_approval_decline",
    "patch_update_move_delete",
    "plan_update",
    "steer",
    "interrupt_stream",
    "review_start",
]


class Terminal:
    """A scrollback that only ever grows, and the region below it."""

    def __init__(self, width: int = 60) -> None:
        self.width = width
        self.committer = Committer()
        self.lines: list[str] = []
        self.region = ""

    def show(self, thread: ThreadState | None) -> "Terminal":
        if thread is not None:
            frame = self.committer.frame(thread, self.width, TERMINAL, 0.0)
            self.lines += plain(frame.commit).split("\n") if frame.commit else []
            self.region = plain(frame.region)
        return self

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def whole(thread: ThreadState, width: int = 60) -> str:
    return plain(lines_of(thread.settled, width, TERMINAL, fold=False))


def message(text: str, *, complete: bool = False, cell_id: str = "m") -> AgentMessageCell:
    return AgentMessageCell(id=cell_id, text=text, complete=complete)


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_conversation_is_committed_as_it_is_drawn_at_once(name: str) -> None:
    screen, terminal = Screen(), Terminal()
    screen.store.listener = lambda _before, state, _effects: terminal.show(state.thread)  # type: ignore[assignment]
    play(name, screen=screen)
    terminal.show(screen.thread)
    assert terminal.text == whole(screen.thread)


@pytest.mark.parametrize("seed", range(20))
def test_a_streamed_message_is_committed_as_it_is_drawn_at_once(seed: int) -> None:
    chance = random.Random(seed)
    text = MARKDOWN + "\n```\ncode\n\nmore\n```\n\n" + MARKDOWN.replace("\n", "\n\n", 3)
    thread, terminal = ThreadState(id="t", settled=(SAMPLES["user"],)), Terminal()
    at = 0
    while at < len(text):
        at += chance.randint(1, 30)
        live = (message(text[:at]),)
        terminal.show(msgspec.structs.replace(thread, live=live))
    settled = (*thread.settled, message(text, complete=True))
    thread = msgspec.structs.replace(thread, settled=settled)
    assert terminal.show(thread).text == whole(thread)
    assert terminal.region == ""


def test_finished_blocks_go_up_while_the_open_one_stays_below() -> None:
    thread, terminal = ThreadState(id="t", live=(message("First one.\n\nSecond"),)), Terminal()
    terminal.show(thread)
    assert terminal.text == "• First one."
    assert terminal.region == "\n  Second"


def test_after_a_resize_the_rest_is_drawn_at_the_new_width_and_nothing_twice() -> None:
    terminal = Terminal(width=60)
    text = "First paragraph.\n\nSecond paragraph that is long enough to wrap.\n\nThird"
    terminal.show(ThreadState(id="t", live=(message(text),)))
    terminal.width = 24
    done = ThreadState(id="t", settled=(message(text + " one.\n\nFourth.", complete=True),))
    terminal.show(done)
    assert terminal.text == (
        "• First paragraph.\n\n  Second paragraph that is long enough to wrap.\n\n"
        "  Third one.\n\n  Fourth."
    )


def test_what_settles_while_a_message_streams_waits_for_its_end() -> None:
    screen, terminal = open_screen(), Terminal()
    turn_began(screen)
    terminal.show(screen.thread)
    before = terminal.text
    said(screen, "One.\n\nTwo")
    terminal.show(screen.thread)
    screen.apply(Say(level="warning", text="Careful."))
    terminal.show(screen.thread)
    assert terminal.text == before + "\n\n• One."
    assert terminal.region == "\n  Two\n\n⚠ Careful."
    completed(screen, type="agentMessage", id="m1", text="One.\n\nTwo.")
    terminal.show(screen.thread)
    assert terminal.text == before + "\n\n• One.\n\n  Two.\n\n⚠ Careful."
    assert terminal.region == ""


def test_a_message_whose_stream_broke_after_a_part_was_committed_says_so() -> None:
    screen, terminal = open_screen(), Terminal()
    turn_began(screen)
    said(screen, "Half an answer.\n\nand")
    terminal.show(screen.thread)
    error = {"message": "Reconnecting... 1/5"}
    params = {"threadId": THREAD, "turnId": "turn-1", "error": error, "willRetry": True}
    screen.apply(heard("error", params))
    said(screen, "Whole answer.\n\nAnd more", "m2")
    terminal.show(screen.thread)
    assert terminal.text.endswith(f"• Half an answer.\n{STARTED_AGAIN}\n\n• Whole answer.")


def test_a_discarded_message_of_which_nothing_was_committed_leaves_no_trace() -> None:
    terminal = Terminal()
    terminal.show(ThreadState(id="t", live=(message("Half"),)))
    terminal.show(ThreadState(id="t"))
    assert (terminal.text, terminal.region) == ("", "")


def test_a_message_whose_end_differs_from_its_stream_is_shown_whole() -> None:
    terminal = Terminal()
    terminal.show(ThreadState(id="t", live=(message("One.\n\nTwo"),)))
    terminal.show(ThreadState(id="t", settled=(message("One!\n\nTwo!", complete=True),)))
    assert terminal.text == f"• One.\n{SHOWN_AGAIN}\n• One!\n\n  Two!"


def test_a_command_left_behind_by_a_message_is_one_line_below_it() -> None:
    screen, terminal = open_screen(), Terminal()
    turn_began(screen)
    command(screen, "c1", "make serve")
    terminal.show(screen.thread)
    assert terminal.region == "\n• Running make serve"
    said(screen, "It runs.\n\nNow")
    terminal.show(screen.thread)
    assert terminal.text.endswith("• It runs.")
    assert terminal.region == "\n  Now\n\n• Running make serve"
    turn_ended(screen)
    terminal.show(screen.thread)
    assert terminal.region == ""


def test_a_replaced_transcript_is_committed_anew() -> None:
    terminal = Terminal()
    terminal.show(ThreadState(id="t", settled=(SAMPLES["user"],)))
    terminal.show(ThreadState(id="t", settled=(SAMPLES["info"],), epoch=1))
    assert terminal.text.endswith("• The model is now gpt-5.5 high.")
