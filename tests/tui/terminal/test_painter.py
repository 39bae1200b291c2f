"""The inline painter on an emulated terminal: what a person sees, scrolled back and forth."""

import pyte
import pytest

from tui.terminal.ansi_rows import Row
from tui.terminal.painter import Painter


class Paper:
    """A terminal of pyte's, fed with what a painter returns."""

    def __init__(self, columns: int = 20, rows: int = 8) -> None:
        self.screen = pyte.HistoryScreen(columns, rows, history=1000, ratio=0.5)
        self.stream = pyte.Stream(self.screen)

    def write(self, text: str) -> None:
        self.stream.feed(text)

    @property
    def text(self) -> list[str]:
        """Everything, scrollback first, without the blank rows at the end."""
        above = [
            "".join(row[column].data for column in range(self.screen.columns)).rstrip()
            for row in self.screen.history.top
        ]
        rows = above + [line.rstrip() for line in self.screen.display]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    @property
    def cursor(self) -> tuple[int, int]:
        return self.screen.cursor.x, self.screen.cursor.y


def rows(*texts: str) -> list[Row]:
    return [Row(text, len(text)) for text in texts]


def test_a_frame_begins_where_the_cursor_was() -> None:
    paper, painter = Paper(), Painter()
    paper.write("$ codex\r\n")
    paper.write(painter.frame(rows("status", "> ask", "footer"), (2, 1)))
    assert paper.text == ["$ codex", "status", "> ask", "footer"]
    assert paper.cursor == (2, 2)


def test_committed_lines_go_above_the_region_once() -> None:
    paper, painter = Paper(), Painter()
    paper.write("$ codex\r\n")
    for number in range(20):
        painter.commit(rows(f"line {number}"))
        paper.write(painter.frame(rows("status", "> ask"), (2, 1)))
    assert paper.text == ["$ codex", *(f"line {n}" for n in range(20)), "status", "> ask"]


def test_only_rows_that_changed_are_written() -> None:
    painter = Painter()
    painter.frame(rows("a", "> x", "c"), (3, 1))
    written = painter.frame(rows("a", "> xy", "c"), (4, 1))
    assert "> xy" in written
    assert "a" not in written.replace("\x1b[?2026h", "").replace("> xy", "")


def test_a_frame_that_changes_nothing_writes_nothing() -> None:
    painter = Painter()
    painter.frame(rows("a", "b"), (0, 1))
    assert painter.frame(rows("a", "b"), (0, 1)) == ""


def test_a_shrinking_region_leaves_nothing_behind() -> None:
    paper, painter = Paper(), Painter()
    paper.write(painter.frame(rows("a", "b", "> x", "d", "e"), (0, 2)))
    paper.write(painter.frame(rows("a", "> x"), (0, 1)))
    assert paper.text == ["a", "> x"]


def test_a_full_row_keeps_its_last_cell() -> None:
    paper, painter = Paper(columns=10), Painter()
    paper.write(painter.frame(rows("0123456789", "x"), (0, 1)))
    paper.write(painter.frame(rows("012345678!", "x"), (0, 1)))
    assert paper.text == ["012345678!", "x"]


def test_a_line_wider_than_the_terminal_is_committed_whole() -> None:
    paper, painter = Paper(columns=10), Painter()
    paper.write(painter.frame(rows("> x"), (0, 0)))
    painter.commit(rows("0123456789abcdef"))
    paper.write(painter.frame(rows("> x"), (0, 0)))
    assert paper.text == ["0123456789", "abcdef", "> x"]


def test_rows_painted_by_somebody_else_are_taken_over() -> None:
    paper, painter = Paper(), Painter()
    paper.write("$ codex\r\nHEADER\r\n> early\r\nfoot\x1b[1A\r\x1b[7C")
    painter.adopt((6, 7, 4), (7, 1))
    painter.commit(rows("header"))
    paper.write(painter.frame(rows("> early", "foot"), (7, 0)))
    assert paper.text == ["$ codex", "header", "> early", "foot"]


@pytest.mark.parametrize("columns", [9, 12, 20])
def test_after_a_rewrap_the_region_is_gone_and_the_lines_above_are_whole(columns: int) -> None:
    """As a terminal shows it that rewraps: the rows above the cursor take more of them."""
    paper, painter = Paper(columns=columns, rows=12), Painter()
    region = rows("x" * 18, "> ask")
    wrapped = "".join(("x" * 18)[start : start + columns] for start in range(0, 18, columns))
    paper.write("shell\r\nline 1\r\n" + wrapped + "\r\n> ask")
    painter.frame(region, (5, 1))
    paper.write(painter.resized(columns, 12))
    assert paper.text == ["shell", "line 1"]
    paper.write(painter.frame(region[1:], (5, 0)))
    assert paper.text == ["shell", "line 1", "> ask"]


@pytest.mark.parametrize(("committed", "up"), [([], 6), (["answer"], 1)])
def test_what_a_lower_terminal_pushed_up_goes_when_it_comes_back(
    committed: list[str], up: int
) -> None:
    """Ten rows with the cursor in the last: a terminal of five has five of them in its history."""
    painter = Painter()
    painter.frame(rows(*(f"row {n}" for n in range(10))), None)
    assert painter.resized(20, 5).startswith("\x1b[9A")
    painter.commit(rows(*committed))
    painter.frame(rows("low", "foot"), None)
    assert painter.resized(20, 12).startswith(f"\x1b[{up}A")
    painter.frame(rows("low", "foot"), None)
    assert painter.resized(20, 12).startswith("\x1b[1A")


def test_lines_that_are_taken_back_make_room_for_others() -> None:
    paper, painter = Paper(), Painter()
    paper.write("$ codex\r\n")
    painter.commit(rows("one", "narrow", "lines"))
    paper.write(painter.frame(rows("status", "> ask"), (2, 1)))
    paper.write(painter.resized(20, 8))
    assert paper.cursor == (0, 4)
    paper.write(painter.take_back(2))
    painter.commit(rows("wider line"))
    paper.write(painter.frame(rows("status", "> ask"), (2, 1)))
    assert paper.text == ["$ codex", "one", "wider line", "status", "> ask"]
    assert painter.take_back(0) == ""


def test_leaving_keeps_what_is_committed_and_says_the_last_words() -> None:
    paper, painter = Paper(), Painter()
    paper.write("$ codex\r\n")
    painter.commit(rows("answer"))
    paper.write(painter.frame(rows("> ask", "foot"), (0, 0)))
    painter.commit(rows("more"))
    paper.write(painter.last_lines(rows("", "bye")))
    assert paper.text == ["$ codex", "answer", "more", "", "bye"]
    assert paper.cursor == (0, 5)


def test_lines_committed_behind_the_other_screen_come_when_it_closes() -> None:
    paper, painter = Paper(), Painter()
    paper.write(painter.frame(rows("> ask"), (0, 0)))
    painter.enter_alternate()
    painter.commit(rows("late"))
    assert "late" not in painter.frame(rows("PAGE", "2"), None)
    painter.leave_alternate()
    paper.write(painter.frame(rows("> ask"), (0, 0)))
    assert paper.text == ["late", "> ask"]


def test_nothing_is_erased_from_the_corner_of_the_screen() -> None:
    """Terminals move what is erased there into their history."""
    painter = Painter()
    region = rows("a", "b", "c")
    written = painter.frame(region, (0, 0)) + painter.clear()
    painter.frame(region, (0, 0))
    written += painter.resized(40, 20)
    for before in written.split("\x1b[J")[:-1]:
        assert before.endswith(("\n\r", "\r\n")), before[-20:]


def test_a_frame_still_on_its_way_when_the_terminal_gets_lower_erases_no_line() -> None:
    """The terminal drops the rows below the cursor; the painter does not know yet."""
    paper, painter = Paper(rows=12), Painter()
    painter.commit(rows(*(f"line {n}" for n in range(6))))
    paper.write(painter.frame(rows("", "status", "> ask", "", "foot"), (5, 2)))
    below = paper.screen.lines - 1 - paper.screen.cursor.y
    paper.screen.lines -= below
    paper.screen.margins = None
    paper.write(painter.frame(rows("", "status", "> ask", "", "foot!"), (5, 2)))
    painter.commit(rows("line 6"))
    paper.write(painter.frame(rows("", "status", "> ask", "", "foot"), (5, 2)))
    assert [text for text in paper.text if text.startswith("line")] == [
        f"line {n}" for n in range(7)
    ]
    assert paper.text[-5:] == ["", "status", "> ask", "", "foot"]
