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

    def widen(self, width: int, room: int) -> None:
        """The terminal grows; so many of its rows above the region can be reached."""
        taken = self.committer.take_back(min(width, self.width), room)
        assert taken <= room
        del self.lines[len(self.lines) - taken :]
        self.width = width

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


@pytest.mark.parametrize("name", RECORDED)
def test_what_is_given_up_in_a_wider_terminal_is_committed_as_wide_as_that(name: str) -> None:
    screen, terminal = Screen(), Terminal()
    screen.store.listener = lambda _before, state, _effects: terminal.show(state.thread)  # type: ignore[assignment]
    play(name, screen=screen)
    terminal.show(screen.thread)
    narrow = whole(screen.thread)
    assert max(map(len, narrow.split("\n"))) <= 60
    terminal.widen(100, room=1_000)
    assert terminal.show(screen.thread).text == whole(screen.thread, 100)


@pytest.mark.parametrize("seed", range(20))
def test_widening_at_any_moment_loses_and_doubles_nothing(seed: int) -> None:
    chance = random.Random(seed)
    screen, terminal = open_screen(), Terminal()
    turn_began(screen)
    for number in range(12):
        words = " ".join(f"w{number}-{count}" for count in range(chance.randint(3, 20)))
        said(screen, f"{words}.\n\n", f"m{number % 3}")
        if chance.random() < 0.3:
            screen.apply(Say(level="warning", text=f"Careful {number}."))
        if chance.random() < 0.4:
            text = next((cell.text for cell in screen.thread.live if hasattr(cell, "text")), "")
            if text:
                item_id = screen.thread.live[0].id
                completed(screen, type="agentMessage", id=item_id, text=text)
        terminal.show(screen.thread)
        if chance.random() < 0.4:
            terminal.widen(terminal.width + chance.randint(1, 9), room=chance.randint(0, 40))
            terminal.show(screen.thread)
    turn_ended(screen)
    terminal.show(screen.thread)
    assert sorted(terminal.text.split()) == sorted(whole(screen.thread).split())


def test_a_line_that_did_not_fit_and_what_is_above_it_stay_as_they_are() -> None:
    terminal = Terminal(width=30)
    cells = (
        message("above the code, and long enough to wrap", complete=True, cell_id="a"),
        message(f"```\n{'x' * 40}\n```", complete=True, cell_id="b"),
        message("below the code, and long enough to wrap", complete=True, cell_id="c"),
    )
    thread = ThreadState(id="t", settled=cells)
    before = terminal.show(thread).text
    terminal.widen(80, room=1_000)
    assert terminal.show(thread).text == before.replace(
        "below the code, and long\n  enough to wrap", "below the code, and long enough to wrap"
    )


def test_what_stands_above_other_lines_is_not_given_up() -> None:
    terminal = Terminal(width=30)
    thread = ThreadState(id="t", settled=(message("long enough to be wrapped at thirty"),))
    before = terminal.show(thread).text
    terminal.committer.keep_all()
    terminal.widen(80, room=1_000)
    assert terminal.show(thread).text == before


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
