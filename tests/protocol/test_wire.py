"""The base of wire values: frozen, keyword-only, camelCase, for subclasses too."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from app_server.protocol.wire import UNSET, Maybe, SingleKey, SnakeWire, Wire, always_null, known

ROOT = Path(__file__).parents[2]


class Point(Wire):
    across_x: int
    note: str | None = None


class NamedPoint(Point):
    point_name: str


class Patch(Wire):
    branch: Maybe[str] = UNSET


class Sparse(Wire, omit_defaults=True):
    left_out: str | None = None
    written: str | None = always_null()


class Choice(SingleKey):
    first_one: int | None = None
    second_one: str | None = None


class Plain(SnakeWire):
    snake_name: int


def test_values_take_keywords_only_even_in_subclasses() -> None:
    with pytest.raises(TypeError):
        Point(1)  # type: ignore[misc]
    with pytest.raises(TypeError):
        NamedPoint(1, point_name="a")  # type: ignore[misc]
    assert NamedPoint(across_x=1, point_name="a").point_name == "a"


def test_values_are_frozen_even_in_subclasses() -> None:
    point = NamedPoint(across_x=1, point_name="a")
    with pytest.raises(AttributeError):
        point.point_name = "b"  # type: ignore[misc]


def test_keys_are_camel_case_and_none_is_written_as_null() -> None:
    point = NamedPoint(across_x=1, point_name="a")
    assert msgspec.json.decode(msgspec.json.encode(point)) == {
        "acrossX": 1,
        "note": None,
        "pointName": "a",
    }


def test_snake_wire_keeps_its_keys() -> None:
    assert msgspec.json.encode(Plain(snake_name=1)) == b'{"snake_name":1}'


def test_unknown_keys_are_ignored() -> None:
    assert msgspec.json.decode(b'{"acrossX":1,"later":[2]}', type=Point) == Point(across_x=1)


def test_absent_and_null_differ_in_a_maybe_field() -> None:
    absent = msgspec.json.decode(b"{}", type=Patch)
    null = msgspec.json.decode(b'{"branch":null}', type=Patch)
    assert absent.branch is UNSET
    assert null.branch is None
    assert msgspec.json.encode(absent) == b"{}"
    assert msgspec.json.encode(null) == b'{"branch":null}'


def test_known_gives_none_for_an_unset_value() -> None:
    assert known(Patch().branch) is None
    assert known(Patch(branch="main").branch) == "main"


def test_a_sparse_value_leaves_out_defaults_except_those_always_null() -> None:
    assert msgspec.json.encode(Sparse()) == b'{"written":null}'


def test_a_single_key_value_has_exactly_one_key() -> None:
    assert msgspec.json.encode(Choice(first_one=1)) == b'{"firstOne":1}'
    for wrong in (b"{}", b'{"firstOne":1,"secondOne":"a"}', b'{"third":1}'):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(wrong, type=Choice)


def test_a_type_checker_knows_that_values_are_frozen_and_keyword_only(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from app_server.protocol.wire import Wire\n"
        "class Point(Wire):\n"
        "    x: int\n"
        "class NamedPoint(Point):\n"
        "    name: str\n"
        "good = NamedPoint(x=1, name='a')\n"
        "NamedPoint(1, 'a')\n"
        "good.name = 'b'\n"
    )
    command = [sys.executable, "-m", "mypy", "--no-error-summary", str(program)]
    report = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    complaints = [line.split(": error: ")[0] for line in report.stdout.splitlines()]
    assert [c.rsplit(":", 1)[1] for c in complaints if "program.py" in c] == ["7", "8"], report
