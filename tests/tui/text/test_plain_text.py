"""Making text safe, wrapping, terminal output, diffs, links."""

import random
import unicodedata

import pytest
from rich.segment import Segment

from tui.text.ansi import ansi_lines, plain_output
from tui.text.diff import counts, draw_hunks, parse_unified, whole_file
from tui.text.highlight import LineHighlighter, highlight, language_of
from tui.text.links import find_urls, safe_target
from tui.text.markdown_stream import draw_markdown
from tui.text.palette import TERMINAL
from tui.text.sanitize import clean, clean_line, marked, marked_line
from tui.text.spans import shortened, text_of, width_of
from tui.text.wrap import fold, wrap


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain", "plain"),
        ("a\nb", "a\nb"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x1b[31mred", "␛[31mred"),
        ("bell\x07", "bell␇"),
        ("del\x7f", "del␡"),
        ("csi\x9b31m", "csi\ufffd31m"),
        ("\u202etxt.exe", "\ufffdtxt.exe"),
        ("a\u2028b", "a b"),
        ("zero\u200ewidth", "zerowidth"),
        ("\ud800", "\ufffd"),
        ("a\tb", "a   b"),
        ("tag\U000e0041", "tag\ufffd"),
    ],
)
def test_text_is_made_safe(text: str, safe: str) -> None:
    assert clean(text) == safe


def test_a_name_of_one_line_stays_on_one_line() -> None:
    assert clean_line("a\nb\r\nc") == "a␊b␊c"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("ls -l\n\techo ü 漢 👩‍👩‍👧 ✔️", "ls -l\n    echo ü 漢 👩‍👩‍👧 ✔️"),
        ("ls\u200b -l", "ls⟨U+200B⟩ -l"),
        ("a\u202etxt.exe\u202c", "a⟨U+202E⟩txt.exe⟨U+202C⟩"),
        ("\u2066a\u2069", "⟨U+2066⟩a⟨U+2069⟩"),
        ("rm -rf x\rls  \r\n", "rm -rf x⟨U+000D⟩ls  ⟨U+000D⟩\n"),
        ("\x1b[8mhidden\x9b0m\x08", "⟨U+001B⟩[8mhidden⟨U+009B⟩0m⟨U+0008⟩"),
        ("rm\u00a0-rf\u3000x", "rm⟨U+00A0⟩-rf⟨U+3000⟩x"),
        ("a\u200db\ufe0f\u3164", "a⟨U+200D⟩b⟨U+FE0F⟩⟨U+3164⟩"),
        ("\U000e0041\ud800", "⟨U+E0041⟩⟨U+D800⟩"),
    ],
)
def test_what_cannot_be_seen_is_told_by_its_number(text: str, seen: str) -> None:
    assert marked(text) == seen


def test_every_character_that_is_not_seen_is_marked() -> None:
    invisible = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp", "Zs"}
    missed = [
        hex(code)
        for code in range(0x110000)
        if unicodedata.category(chr(code)) in invisible
        and chr(code) not in "\n\t "
        and marked(chr(code)) != f"⟨U+{code:04X}⟩"
    ]
    assert missed == []


def test_marks_on_one_line_tell_its_ends_too() -> None:
    assert marked_line("a\nb\u200b") == "a␊b⟨U+200B⟩"


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("", 10, [""]),
        ("one two three", 7, ["one two", "three"]),
        ("one  two", 4, ["one", "two"]),
        ("  indented text", 10, ["  indented", "text"]),
        ("longwordthatdoesnotfit x", 8, ["longword", "thatdoes", "notfit x"]),
        ("漢字漢字漢字", 6, ["漢字漢", "字漢字"]),
        ("漢字、漢字。", 6, ["漢字、", "漢字。"]),
        ("ab漢字cd", 4, ["ab漢", "字cd"]),
        ("👩‍👩‍👧👩‍👩‍👧", 4, ["👩‍👩‍👧👩‍👩‍👧"]),
        ("trailing   ", 20, ["trailing"]),
    ],
)
def test_text_is_wrapped_at_words(text: str, width: int, expected: list[str]) -> None:
    assert [text_of(line) for line in wrap([Segment(text)], width)] == expected


def test_wrapped_lines_hang_and_keep_their_styles() -> None:
    spans = [Segment("one "), Segment("two three", TERMINAL.strong)]
    rows = wrap(spans, 9, first=[Segment("- ")])
    assert [text_of(row) for row in rows] == ["- one two", "  three"]
    assert rows[1][-1] == Segment("three", TERMINAL.strong)


def test_a_word_that_does_not_fit_can_be_left_whole() -> None:
    url = "https://example.org/a/very/long/path"
    rows = wrap([Segment(f"see {url} now")], 12, fold_long=False)
    assert [text_of(row) for row in rows] == ["see", url, "now"]


def test_folding_keeps_every_character() -> None:
    text = "  a  b" * 20 + "漢" * 11 + "e\u0301" * 9
    rows = fold([Segment(text)], 17)
    assert "".join(text_of(row) for row in rows) == text
    assert all(width_of(row) <= 17 for row in rows)


def test_shortening_marks_the_cut() -> None:
    assert text_of(shortened([Segment("a long text")], 6)) == "a lon…"
    assert text_of(shortened([Segment("漢字漢字")], 6)) == "漢字…"
    assert text_of(shortened([Segment("fits")], 4)) == "fits"


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ("a\nb\n", "a\nb"),
        ("\x1b[1;31mred\x1b[0m plain", "red plain"),
        ("\x1b[2J\x1b[10;5Hmoved\x1b[K", "moved"),
        ("\x1b]0;title\x07text\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "textlink"),
        ("\x1bP1;2q...\x1b\\after", "after"),
        ("10%\r20%\r100%", "100%"),
        ("long text\rshort", "shorttext"),
        ("ab\bc", "ac"),
        ("a\tb", "a   b"),
        ("bell\x07 nul\x00 del\x7f", "bell nul del"),
        ("\x9b31mc1", "c1"),
        ("cut off \x1b[3", "cut off "),
        ("charset \x1b(B ok", "charset  ok"),
        ("bad \ufffd byte", "bad \ufffd byte"),
        ("crlf\r\nend\r\n", "crlf\nend"),
    ],
)
def test_output_keeps_text_and_loses_what_a_terminal_obeys(output: str, shown: str) -> None:
    assert plain_output(output) == shown


@pytest.mark.parametrize(
    ("sequence", "style"),
    [
        ("1;31", "bold red"),
        ("38;5;208", "color(208)"),
        ("38;2;1;2;3", "#010203"),
        ("38:2:1:2:3", "#010203"),
        ("92", "bright_green"),
        ("44", "on blue"),
        ("4;9", "underline strike"),
        ("31;0", "none"),
        ("1;22", "not bold not dim"),
        ("38;5", "none"),
        ("999", "none"),
    ],
)
def test_colours_of_output_are_kept(sequence: str, style: str) -> None:
    (row,) = ansi_lines(f"\x1b[{sequence}mx")
    assert str(row[0].style or "none") == style


def test_a_colour_goes_on_into_the_next_line() -> None:
    rows = ansi_lines("\x1b[32mone\ntwo\x1b[0m\nthree")
    assert [str(row[0].style or "none") for row in rows] == ["green", "green", "none"]


DIFF = """\
diff --git a/x b/x
--- a/x
+++ b/x
@@ -8,3 +8,4 @@ def f():
 eight
-nine
+NINE
+more
 ten
@@ -99,1 +101,1 @@
-old
\\ No newline at end of file
+new
"""


def test_a_diff_has_numbers_signs_and_marks_between_hunks() -> None:
    hunks = parse_unified(DIFF)
    assert counts(hunks) == (3, 2)
    rows = [text_of(row) for row in draw_hunks(hunks, 40, TERMINAL, indent="  ")]
    assert rows == [
        "    8  eight",
        "    9 -nine",
        "    9 +NINE",
        "   10 +more",
        "   11  ten",
        "    ⋮",
        "   99 -old",
        "  101 +new",
    ]


def test_a_line_that_looks_like_a_header_inside_a_hunk_is_a_line() -> None:
    hunks = parse_unified("@@ -1,2 +1,2 @@\n--- a\n-- b\n+++ c\n++ d\n")
    assert counts(hunks) == (2, 2)


def test_a_rename_with_edits_counts_its_lines() -> None:
    assert counts(parse_unified("@@ -1 +1 @@\n-a\n+b\n")) == (1, 1)


def test_a_whole_file_is_one_hunk_and_an_empty_one_is_none() -> None:
    assert counts(whole_file("a\nb\n", "+")) == (2, 0)
    assert whole_file("", "+") == []
    assert parse_unified("garbage\nwithout hunks") == []


def test_long_diff_lines_fold_under_their_text() -> None:
    rows = draw_hunks(whole_file("x" * 25 + "\n", "+"), 16, TERMINAL)
    assert [text_of(row) for row in rows] == ["1 +" + "x" * 13, "   " + "x" * 12]


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("see https://x.org/a.", ["https://x.org/a"]),
        ("(https://x.org/a_(b))", ["https://x.org/a_(b)"]),
        ("http://a, http://b!", ["http://a", "http://b"]),
        ("no://thing here", []),
        ('"https://x.org"', ["https://x.org"]),
    ],
)
def test_addresses_are_found_without_their_punctuation(text: str, urls: list[str]) -> None:
    assert [text[start:end] for start, end in find_urls(text)] == urls


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://x.org/ä b", "https://x.org/%C3%A4%20b"),
        ("https://x.org/\x1b\\", "https://x.org/%1B%5C"),
        ("javascript:alert(1)", None),
        ("/etc/passwd", None),
        ("https://x/" + "a" * 3_000, None),
    ],
)
def test_only_harmless_addresses_become_links(url: str, target: str | None) -> None:
    assert safe_target(url) == target


def test_a_comment_over_several_lines_stays_a_comment() -> None:
    rows = highlight("/* one\n   two */ int x;", "c", TERMINAL)
    assert rows[0][0].style == rows[1][0].style
    assert "int" in text_of(rows[1])


@pytest.mark.parametrize(
    "language", ["python", "bash", "rust", "js", "tsx", "go", "html", "json", "yaml", "diff", "sql"]
)
def test_colouring_never_changes_the_text(language: str) -> None:
    code = 'def f(x): # c\n\n  \'str\n<a b="c">&amp;</a>\n{"k": [1, 2.5]}\n@@ -1 +1 @@\n\\x $y `z'
    assert [text_of(row) for row in highlight(code, language, TERMINAL)] == code.split("\n")


def test_very_long_code_is_plain_beyond_a_limit() -> None:
    highlighter = LineHighlighter("python", TERMINAL)
    rows = [highlighter.line("return 1") for _ in range(2_001)]
    assert len(rows[0]) > 1
    assert len(rows[2_000]) == 1


def test_a_files_name_tells_its_language() -> None:
    rows = highlight("return 1", language_of("/w/src/app.py"), TERMINAL)
    assert str(rows[0][0].style) == "magenta"
    assert language_of("/w/LICENSE") == ""


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("❤️‍🔥", "❤️‍🔥"),
        ("a\u200db", "ab"),
        ("😀\u200d漢", "😀漢"),
        ("\ufe0f1\ufe0f", "1"),
    ],
)
def test_joiners_stay_only_between_pictures(text: str, safe: str) -> None:
    assert clean(text) == safe


LETTERS = (
    "ab \n\t-*_`#>|[]()!~\\&;:<\"'{}01.+=$\x1b\x00\x07\x9b\u202eé漢😀\u200d\ufe0f\r\u2028\ud800"
)


@pytest.mark.parametrize("seed", range(40))
def test_random_bytes_draw_within_the_width_and_without_control_characters(seed: int) -> None:
    chance = random.Random(seed)
    letters = (
        "ab \n\t-*_`#>|[]()!~\\&;:<\"'{}01.+=$\x1b\x00\x07\x9b\u202eé漢😀\u200d\ufe0f\r\u2028\ud800"
    )
    text = "".join(chance.choice(letters) for _ in range(200))
    width = chance.choice([16, 20, 33, 80])
    language = chance.choice(["python", "bash", "html", "json", "c", "diff", "rust", "yaml"])
    shown = [
        *draw_markdown(text, width, TERMINAL),
        *draw_markdown(f"```{language}\n{text.replace('`', '')}\n```", width, TERMINAL),
        *draw_hunks(parse_unified(f"@@ -1,9 +1,9 @@\n{text}"), width, TERMINAL, language=language),
    ]
    assert max(map(width_of, shown)) <= width
    everything = "".join(map(text_of, [*shown, *ansi_lines(text)]))
    assert not {"\x1b", "\x00", "\x07", "\x9b", "\u202e", "\r", "\t", "\n", "\ud800"} & set(
        everything
    )


@pytest.mark.parametrize("unit", ["[", "![", "*a ", "`", "[a](", "> ", "- ", "|a|\n|-|\n", "<"])
def test_repetitive_text_is_drawn_to_its_end(unit: str) -> None:
    rows = draw_markdown(f"x {unit * 2_000}end", 80, TERMINAL)
    assert "end" in "".join(map(text_of, rows))


@pytest.mark.parametrize("character", ["a", "\u200b", "e\u0301"])
def test_a_huge_word_is_wrapped_at_once(character: str) -> None:
    word = character * 300_000
    rows = wrap([Segment(word)], 80)
    assert "".join(text_of(row) for row in rows) == word
