"""The draft: typing, moving, killing, elements that stand for something else."""

import pytest

from tui.widgets.composer.buffer import Buffer


def buffer(text: str) -> Buffer:
    """A buffer from text with `|` where the cursor is."""
    before, _, after = text.partition("|")
    made = Buffer(before + after)
    made.cursor = len(before)
    return made


def shown(one: Buffer) -> str:
    return one.text[: one.cursor] + "|" + one.text[one.cursor :]


@pytest.mark.parametrize(
    ("before", "does", "after"),
    [
        ("ab|c", "left", "a|bc"),
        ("|abc", "left", "|abc"),
        ("a|", "right", "a|"),
        ("one two| three", "word_left", "one |two three"),
        ("one |two three", "word_right", "one two| three"),
        ("one\ntwo| x", "line_start", "one\n|two x"),
        ("one\n|two", "line_start", "|one\ntwo"),
        ("o|ne\ntwo", "line_end", "one|\ntwo"),
        ("one|\ntwo", "line_end", "one\ntwo|"),
        ("ab|c", "backspace", "a|c"),
        ("ab|c", "delete", "ab|"),
        ("one two|", "delete_word_left", "one |"),
        ("one| two", "delete_word_right", "one|"),
        ("a\none two| x", "kill_to_start", "a\n| x"),
        ("a\n|b", "kill_to_start", "a|b"),
        ("a|bc\nd", "kill_to_end", "a|\nd"),
        ("a|\nd", "kill_to_end", "a|d"),
        ("e\u0301|x", "backspace", "|x"),
        ("|e\u0301x", "right", "e\u0301|x"),
        ("\U0001f469\u200d\U0001f680|", "left", "|\U0001f469\u200d\U0001f680"),
    ],
)
def test_a_key_changes_the_draft(before: str, does: str, after: str) -> None:
    draft = buffer(before)
    getattr(draft, does)()
    assert shown(draft) == after


def test_what_was_killed_can_be_put_back() -> None:
    draft = buffer("keep this |and this")
    draft.kill_to_end()
    draft.line_start()
    draft.yank()
    assert shown(draft) == "and this|keep this "


def test_undo_takes_a_word_of_typing_back_at_once() -> None:
    draft = Buffer("so ")
    for letter in "far":
        draft.insert(letter)
    draft.undo()
    assert shown(draft) == "so |"


def test_a_short_paste_is_plain_text_with_its_line_ends() -> None:
    draft = Buffer()
    draft.paste("a\r\nb\rc")
    assert draft.text == "a\nb\nc"
    assert draft.elements == ()


def test_a_long_paste_is_one_element_and_sent_in_full() -> None:
    draft = Buffer("see ")
    draft.paste("x" * 1001)
    draft.insert("!")
    assert draft.text == "see [Pasted Content 1001 chars]!"
    assert draft.expanded().text == "see " + "x" * 1001 + "!"


def test_two_equal_pastes_have_different_labels() -> None:
    draft = Buffer()
    draft.paste("x" * 2000)
    draft.paste("y" * 2000)
    assert draft.text == "[Pasted Content 2000 chars][Pasted Content 2000 chars] #2"
    assert draft.expanded().text == "x" * 2000 + "y" * 2000


def test_one_backspace_deletes_a_whole_element() -> None:
    draft = Buffer("a")
    draft.paste("x" * 2000)
    draft.backspace()
    assert shown(draft) == "a|"
    assert draft.elements == ()


def test_the_cursor_jumps_over_elements() -> None:
    draft = Buffer()
    draft.insert_element("image", "/tmp/a.png")
    draft.left()
    assert draft.cursor == 0
    draft.word_right()
    assert draft.cursor == len("[Image #1]")


def test_text_before_an_element_moves_it_along() -> None:
    draft = Buffer()
    draft.insert_element("image", "/tmp/a.png")
    draft.line_start()
    draft.insert("look at ")
    assert draft.expanded() == ("look at [Image #1]", ("/tmp/a.png",))
    draft.move(len(draft.text))
    draft.backspace()
    assert shown(draft) == "look at |"


@pytest.mark.parametrize(
    ("text", "token"),
    [("see @src/m|", (4, "src/m")), ("@|", (0, "")), ("a@b|", None), ("@x y|", None), ("|", None)],
)
def test_a_file_token_begins_at_a_word_start(text: str, token: object) -> None:
    assert buffer(text).token_before_cursor("@") == token
