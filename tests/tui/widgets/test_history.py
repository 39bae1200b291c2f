"""Earlier messages with Up, Down and a search."""

from tui.widgets.composer.history import History


def test_up_goes_back_and_down_returns_to_the_draft() -> None:
    history = History(["first", "second"])
    assert history.recall(-1, "") == "second"
    assert history.recall(-1, "second") == "first"
    assert history.recall(-1, "first") is None
    assert history.recall(1, "first") == "second"
    assert history.recall(1, "second") == ""


def test_a_changed_text_is_not_replaced_by_up() -> None:
    history = History(["first"])
    assert history.recall(-1, "being written") is None
    history.recall(-1, "")
    assert history.recall(-1, "first, changed") is None


def test_the_same_message_twice_is_kept_once() -> None:
    history = History()
    history.add("again")
    history.add("again")
    history.add("  ")
    assert history.recall(-1, "") == "again"
    assert history.recall(-1, "again") is None


def test_what_earlier_sessions_kept_stands_before_this_one() -> None:
    history = History()
    history.add("now")
    history.load(["then"])
    assert history.recall(-1, "") == "now"
    assert history.recall(-1, "now") == "then"


def test_a_search_goes_back_from_match_to_match() -> None:
    history = History(["fix the Parser", "other", "parser again"])
    assert history.find("parser") == (1, "parser again")
    assert history.find("parser", 1) == (3, "fix the Parser")
    assert history.find("parser", 3) is None
    assert history.find_newer("parser", 3) == (1, "parser again")
