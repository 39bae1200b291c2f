"""Taking scripts apart, and refusing to where a shell would have to."""

import shlex
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app_server.execpolicy.shell_quote import shell_join, shell_quote
from app_server.execpolicy.shell_split import (
    Part,
    command_with_input,
    commands_of,
    mentioned_commands,
    plain_commands,
    plain_parts,
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
    ("find . ! -name x", [["find", ".", "!", "-name", "x"]]),
    ("xargs -I {} ls {}", [["xargs", "-I", "{}", "ls", "{}"]]),
    ("echo a#b 5 -3 [a-z]", [["echo", "a#b", "5", "-3", "[a-z]"]]),
    ('echo "a\nb"', [["echo", "a\nb"]]),
    ("  a \n", [["a"]]),
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
    "a\vb",
    "a \\\n b",
    "a x\\\ny",
    "echo $'a'",
    'echo $"a"',
    "echo {}x",
    "echo <(a)",
    "a <<< b",
    "ls *(x)",
    "export X=1",
    "[ -f x ]",
    "a 'b\rc'",
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


FED = [
    ("python3 x.py <<'END'\nprint($x)\nEND", ["python3", "x.py"]),
    ("cat <<END\nhi\nEND\n", ["cat"]),
    ("cat <<-END\n\thi\n\tEND", ["cat"]),
    ("cat <<END\n$(rm x)\nEND", None),
    ("cat <<END\n`rm x`\nEND", None),
    ("cat <<END > f\nhi\nEND", None),
    ("cat <<'END' | sh\nhi\nEND", None),
    ("cat <<'END' && rm x\nhi\nEND", None),
    ("cat <<'END'\nhi\nEND\nrm x", None),
    ("X=1 cat <<'END'\nhi\nEND", None),
    ("cat $X <<'END'\nhi\nEND", None),
    ("cat", None),
]


@pytest.mark.parametrize(("script", "command"), FED)
def test_a_command_that_is_only_fed_a_text_is_known(script: str, command: list[str] | None) -> None:
    assert command_with_input(["bash", "-lc", script]) == command
    assert plain_commands(script) == (None if "<<" in script else [command or ["cat"]])


MENTIONED = [
    ("X=1 git push > log 2>&1 &", [["git", "push"]]),
    ("git push $REMOTE main", [["git", "push"]]),
    ("for d in a b; do rm -rf $d; done", [["rm", "-rf"]]),
    ("echo $(rm -f x) `id`", [["echo"], ["rm", "-f", "x"], ["id"]]),
    ("f() { git push; }; (cd x && f)", [["git", "push"], ["cd", "x"], ["f"]]),
    ("cat <<END\n$(git push)\nEND", [["cat"], ["git", "push"]]),
    ("bash -c 'git push'", [["bash", "-c", "git push"], ["git", "push"]]),
    ("sudo sh -euc 'git push'", [["sudo", "sh", "-euc", "git push"], ["git", "push"]]),
    ("ls ) git push", [["ls"]]),
    ("$X git push", []),
]


@pytest.mark.parametrize(("script", "commands"), MENTIONED)
def test_commands_are_seen_however_they_are_wrapped(script: str, commands: list[list[str]]) -> None:
    assert mentioned_commands(["bash", "-lc", script]) == commands


def test_a_call_without_a_script_mentions_nothing() -> None:
    assert mentioned_commands(["git", "push"]) == []
    assert mentioned_commands(["bash", "build.sh", "-c", "git push"]) == []
    assert mentioned_commands(["bash", "-c"]) == []


@pytest.mark.parametrize(
    "argv",
    [
        ["dash", "-c", "git push", "name"],
        ["bash", "-o", "pipefail", "-x", "-c", "git push"],
        ["/usr/bin/env", "A=1", "zsh", "-fc", "git push"],
        ["timeout", "5", "sh", "-c", "git push"],
    ],
)
def test_scripts_are_seen_whatever_options_a_shell_has_and_whoever_starts_it(
    argv: list[str],
) -> None:
    assert mentioned_commands(argv) == [["git", "push"]]


def test_a_script_made_to_be_slow_to_read_is_given_up() -> None:
    slow = ["bash", "-lc", "a=( " * 30_000]
    assert commands_of(slow) is None
    assert mentioned_commands(slow) is None


def test_scripts_without_number_in_one_call_are_given_up() -> None:
    assert mentioned_commands(["bash", "-c", "sh -c x;" * 100]) is None


def test_a_script_longer_than_any_that_can_be_started_is_not_read() -> None:
    assert plain_commands("a " * 65_537) is None


def test_shells_in_shells_are_looked_into_only_so_deep() -> None:
    script = "git push"
    for _ in range(20):
        script = shell_join(["bash", "-c", script])
    assert ["git", "push"] not in (mentioned_commands(["bash", "-c", script]) or [])


WORDS = st.sampled_from(
    [
        "a",
        "-b",
        "c=d",
        "'e f'",
        '"g h"',
        "i'j'\"k\"",
        "~",
        "*",
        "5",
        "{}",
        "#l",
        "m#",
        "!",
        "^",
        "$n",
        "`o`",
        "\\p",
        "(",
        ")",
        ">",
        "&",
        "",
        "\\\n",
        "\t",
        "\f",
        "é",
        "[q]",
        "{r,s}",
        "''",
        "=t",
    ]
)
SCRIPTS = st.lists(
    st.tuples(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from([";", "&&", "\n", " ;\n"])),
    min_size=1,
    max_size=3,
).map(lambda parts: "".join(" ".join(words) + operator for words, operator in parts))


@settings(max_examples=150)
@given(SCRIPTS)
def test_whatever_comes_apart_is_what_a_real_shell_runs(script: str) -> None:
    """The shell knows none of the names, so its own complaint prints what it would run."""
    commands = plain_commands(script)
    if commands is None or any(words[0] in ("!", "[q]", "*", "~") for words in commands):
        return
    printing = "command_not_found_handle() { printf '%s\\0' \"$@\" >&3; printf '\\n\\0' >&3; }\n"
    ran = subprocess.run(
        [
            "bash",
            "--norc",
            "-c",
            f"exec 3>&1 2>/dev/null; set -f; PATH=/none HOME='~'\n{printing}{script}",
        ],
        capture_output=True,
        text=True,
        env={},
    ).stdout
    seen = [words.split("\0")[:-1] for words in ran.split("\n\0")[:-1]]
    assert seen == commands[: len(seen)]
    assert len(seen) == len(commands) or "&&" in script


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
