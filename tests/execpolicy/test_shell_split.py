"""Taking scripts apart, and refusing to where a shell would have to."""

import shlex
import subprocess

import pytest

from app_server.execpolicy.shell_split import (
    Part,
    commands_of,
    plain_commands,
    plain_parts,
    shell_join,
    shell_quote,
    shell_script,
)

PLAIN = [
    ("ls", [["ls"]]),
    ("ls -la  src", [["ls", "-la", "src"]]),
    ("a && b || c ; d | e", [["a"], ["b"], ["c"], ["d"], ["e"]]),
    ("a&&b", [["a"], ["b"]]),
    ("a\nb\n\nc", [["a"], ["b"], ["c"]]),
    ("a;\nb", [["a"], ["b"]]),
    ("a &&\nb", [["a"], ["b"]]),
    ("ls;", [["ls"]]),
    ("echo 'a  b' \"c d\"", [["echo", "a  b", "c d"]]),
    ("echo a'b'\"c\"d", [["echo", "abcd"]]),
    ("echo ''", [["echo", ""]]),
    ("rg -g'*.py' x", [["rg", "-g*.py", "x"]]),
    ("grep 'a && b; c | d' f", [["grep", "a && b; c | d", "f"]]),
    ("cat *.txt", [["cat", "*.txt"]]),
    ("echo a=b", [["echo", "a=b"]]),
    ("echo é😀", [["echo", "é😀"]]),
    ("echo '$HOME `id` $(id)'", [["echo", "$HOME `id` $(id)"]]),
    ("git show HEAD~2:a", [["git", "show", "HEAD~2:a"]]),
]

NOT_PLAIN = [
    "",
    "  ",
    "echo $HOME",
    'echo "$HOME"',
    'echo "`id`"',
    "echo $(id)",
    "echo `id`",
    "a > f",
    "a < f",
    "a 2>&1",
    "cat <<EOF\nx\nEOF",
    "a &",
    "a & b",
    "a |& b",
    "a | & b",
    "(a)",
    "{ a; }",
    "echo {a,b}",
    "a # comment",
    "X=1 a",
    "X=1",
    "X[0]=1",
    "X+=1",
    "echo a\\ b",
    'echo "a\\"b"',
    "if a; then b; fi",
    "for x in a; do b; done",
    "while a; do b; done",
    "time a",
    "! a",
    "[[ -f x ]]",
    "f() { a; }",
    "a && && b",
    "a ;; b",
    "&& a",
    "| a",
    "a |",
    "a &&",
    "echo 'open",
    'echo "open',
    "a\r\nb",
    "a\0b",
]


@pytest.mark.parametrize(("script", "commands"), PLAIN)
def test_a_plain_script_comes_apart(script: str, commands: list[list[str]]) -> None:
    assert plain_commands(script) == commands


@pytest.mark.parametrize("script", NOT_PLAIN)
def test_what_needs_a_shell_is_not_taken_apart(script: str) -> None:
    assert plain_commands(script) is None


def test_each_part_knows_what_stands_before_it() -> None:
    assert plain_parts("a | b && c\nd") == [
        Part("", ["a"]),
        Part("|", ["b"]),
        Part("&&", ["c"]),
        Part(";", ["d"]),
    ]


@pytest.mark.parametrize("script", [script for script, _ in PLAIN if "*" not in script])
def test_words_are_those_a_shell_sees(script: str) -> None:
    """`commands` as functions print their words, so a real shell tells how it split them."""
    (first, *_) = plain_commands(script) or [[]]
    printer = "import json,sys; print(json.dumps(sys.argv[1:]))"
    alone = script.split("&&")[0].split("\n")[0]
    if len(plain_commands(alone) or []) != 1:
        return
    words = subprocess.run(
        ["bash", "-c", f"python3 -c {shlex.quote(printer)} {alone}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    import json

    assert json.loads(words) == first


def test_only_a_shell_with_a_script_has_a_script() -> None:
    assert shell_script(["/bin/bash", "-lc", "ls"]) == "ls"
    assert shell_script(["zsh", "-c", "ls"]) == "ls"
    assert shell_script(["bash", "x.sh"]) is None
    assert shell_script(["bash", "-x", "ls"]) is None
    assert shell_script(["python", "-c", "ls"]) is None
    assert shell_script([]) is None
    assert commands_of(["ls", "-l"]) == [["ls", "-l"]]
    assert commands_of(["bash", "-lc", "a && b"]) == [["a"], ["b"]]
    assert commands_of([]) is None


QUOTED = [
    ("", "''"),
    ("a-b_c.d/e:f@g+h]", "a-b_c.d/e:f@g+h]"),
    ("a b", "'a b'"),
    ("--color=never", "'--color=never'"),
    ("it's", '"it\'s"'),
    ("$x's", "'$x'\"'s\""),
    ('say "hi"', "'say \"hi\"'"),
    ("echo \"a\" 'b'", '"echo \\"a\\" \'b\'"'),
    ("printf '\\n'", "\"printf '\\\\n'\""),
    ("a\\b", '"a\\\\b"'),
    ("echo a^b", "'echo a''^b'"),
    ("a^b", "a'^b'"),
    ("'a' $x \\ ! end", "\"'a' \"'$x '\"\\\\ \"'! end'"),
    ("a\nb", "'a\nb'"),
    ("é", "'é'"),
]


@pytest.mark.parametrize(("word", "shown"), QUOTED)
def test_words_are_quoted_only_where_needed(word: str, shown: str) -> None:
    assert shell_quote(word) == shown
    assert shlex.split(shown) == [word]


def test_a_joined_command_reads_back_as_itself() -> None:
    argv = ["/bin/bash", "-lc", "cat src/b.txt | awk '{print $1}' \"x\" !^`\\"]
    assert shlex.split(shell_join(argv)) == argv
