"""Which commands run unasked, and which are always asked about."""

import pytest

from app_server.execpolicy.known_dangerous import is_known_dangerous
from app_server.execpolicy.known_safe import is_known_safe


def script(text: str) -> list[str]:
    return ["/bin/bash", "-lc", text]


SAFE = [
    "ls",
    "ls -la src",
    "/usr/bin/ls",
    "cat a b",
    "cd src && cat a | head -n 3 | wc -l",
    "pwd; whoami; true",
    "find . -name x -type f",
    "rg -n foo src",
    "sed -n 3p f",
    "sed -n 1,200p f",
    "sed -n 1,200p",
    "base64 f",
    "git status",
    "git log -3 --oneline",
    "git diff HEAD~1 -- a",
    "git show HEAD:a",
    "git branch",
    "git branch -a -vv",
    "git branch --format=x",
    "tac f",
    "echo '$(rm x)'",
    "cat *.txt",
    "uniq f",
    "uniq -c",
    "git diff --text",
]

NOT_SAFE = [
    "touch x",
    "uniq - f",
    "uniq -c -- - f",
    "uniq -- f -f",
    "base64 --outp=f",
    "ls > f",
    "ls $(rm x)",
    "cat a && touch b",
    "find . -delete",
    "find . -exec rm x",
    "find . -fprintf f x",
    "find *",
    "rg --pre cat foo",
    "rg --pre=cat foo",
    "rg -z foo",
    "rg -nz foo",
    "rg --search-zip foo",
    "rg --hostname-bin=x foo",
    "sed -i s/a/b/ f",
    "sed -n 1,2p -i",
    "sed -n '1,2w f' f",
    "sed -n 'p' f",
    "base64 -o f",
    "base64 -of",
    "base64 --output=f",
    "git",
    "git push",
    "git -C / status",
    "git -c core.pager=x log",
    "git --git-dir=x status",
    "git log --output=f",
    "git diff --ext-diff",
    "git show --textconv",
    "git diff -Oorder",
    "git show --open-files-in-pager=x",
    "git log --exec=x",
    "git log --show-signature",
    "git log --format=%G?",
    "git fetch --upload-pack=x",
    "git --exec-path=x status",
    "git -p log",
    "git grep -Ox y",
    "git some-alias",
    "git branch new",
    "git branch -D old",
    "./ls",
    "sub/cat x",
    "/tmp/cat x",
    "bash -c ls",
    "python3 -c 1",
    "xargs ls",
    "env ls",
    "tee f",
    "sort -o f",
    "uniq a b",
    "uniq *",
    "",
]


@pytest.mark.parametrize("text", SAFE)
def test_commands_that_only_look_are_safe(text: str) -> None:
    assert is_known_safe(script(text))


@pytest.mark.parametrize("text", NOT_SAFE)
def test_anything_else_is_not(text: str) -> None:
    assert not is_known_safe(script(text))


def test_a_call_without_a_shell_is_judged_alike() -> None:
    assert is_known_safe(["ls", "-l"])
    assert not is_known_safe(["rm", "x"])
    assert not is_known_safe([])


@pytest.mark.parametrize("shell", ["./bash", "bin/sh", "/repo/bash", "/tmp/x/zsh"])
def test_a_file_that_is_called_like_a_shell_is_no_shell(shell: str) -> None:
    assert not is_known_safe([shell, "-lc", "ls"])


DANGEROUS = [
    "rm -rf x",
    "rm -f x",
    "rm -fr x",
    "rm -r -f x",
    "rm x --force",
    "/bin/rm -rf x",
    "sudo rm -rf x",
    "sudo -n rm -f x",
    "ls && rm -rf x",
    "sudo -u root rm -rf x",
    "env A=1 rm -f x",
    "find . | xargs rm -f",
    "rm -rf $X",
    "X=1 rm -f x > log",
    "for d in a b; do rm -rf $d; done",
    "echo $(rm -f x)",
    "bash -c 'rm -rf x'",
    "sudo bash -xc 'rm -rf x'",
]

NOT_DANGEROUS = [
    "rm x",
    "rm -r x",
    "rm -- -f",
    "ls",
    "echo rm -rf",
    "sudo ls",
    "rm --preserve-root x",
    "rm $X",
    "echo $X rm -rf",
    "grep rm -f x",
]


@pytest.mark.parametrize("text", DANGEROUS)
def test_removing_by_force_is_dangerous(text: str) -> None:
    assert is_known_dangerous(script(text))


@pytest.mark.parametrize("text", NOT_DANGEROUS)
def test_other_commands_are_not(text: str) -> None:
    assert not is_known_dangerous(script(text))


def test_a_script_that_cannot_be_read_counts_as_dangerous() -> None:
    assert is_known_dangerous(script("a=( " * 30_000))


@pytest.mark.parametrize("words", [["sudo"], ["sudo", "rm"], ["sh", "-x"], ["bash", "-o"]])
def test_a_long_chain_of_programs_that_run_others_is_judged_at_once(words: list[str]) -> None:
    assert not is_known_dangerous(words * 10_000)


@pytest.mark.parametrize("piece", ["$(", "a$(", 'a "$(', "a <(", "a`", "{ a;", "if a; then "])
def test_a_deeply_nested_script_is_judged_at_once(piece: str) -> None:
    assert not is_known_safe(script(piece * 20_000))
    is_known_dangerous(script(piece * 20_000))
