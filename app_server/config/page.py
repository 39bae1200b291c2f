"""The tables of docs/configuration.md, made from the kinds that check a file.

`python -m app_server.config.page` (`make docs`) writes them, and docs/config.schema.json, anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from app_server.config.features import ON_BY_DEFAULT, STAGES
from app_server.config.json_schema import schema_text
from app_server.config.kinds import (
    Either,
    Kind,
    ListOf,
    MapOf,
    NameOrTable,
    Number,
    OneOf,
    Scalar,
    Section,
    Whole,
)
from app_server.config.meanings import AS_A_WHOLE, MEANINGS, UNUSED_YET
from app_server.config.schema import PROFILE_FIELDS, TOP

BEGIN, END = "<!-- {name}: made by `make docs` -->\n", "<!-- end of {name} -->\n"


def with_tables(page: str) -> str:
    """The page with its tables as they are today."""
    for name, table in (("keys", key_table()), ("features", feature_table())):
        begin, end = BEGIN.format(name=name), END.format(name=name)
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}\n{table}\n{end}{after}"
    return page


def key_table() -> str:
    """Every key: type, default, meaning."""
    rows = ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    for key, kind in documented_keys():
        default, meaning = MEANINGS.get(key, ("", ""))
        notes = " *p*" if key in PROFILE_FIELDS else ""
        later = " (No effect yet.)" if key in UNUSED_YET else ""
        rows.append(f"| `{key}`{notes} | {type_of(kind)} | {default or '–'} | {meaning}{later} |")
    return "\n".join(rows) + "\n"


def feature_table() -> str:
    """Every feature that has an effect: stage and default."""
    rows = ["| feature | stage | default |", "| --- | --- | --- |"]
    for name, stage in sorted(STAGES.items()):
        if stage != "removed":
            rows.append(f"| `{name}` | {stage} | {'on' if name in ON_BY_DEFAULT else 'off'} |")
    return "\n".join(rows) + "\n"


def documented_keys() -> Iterator[tuple[str, Kind]]:
    """The keys of the table, in the schema's order."""
    yield from _below(TOP, "")


def _below(kind: Kind, prefix: str) -> Iterator[tuple[str, Kind]]:
    if isinstance(kind, MapOf):
        if isinstance(kind.item, Section):
            yield from _below(kind.item, f"{prefix}*.")
        return
    if isinstance(kind, NameOrTable):
        for name, inner in kind.tables.items():
            yield from _below(inner, f"{prefix}{name}.")
        return
    if not isinstance(kind, Section):
        return
    for key, inner in sorted(kind.fields.items()) if prefix == "" else kind.fields.items():
        name = f"{prefix}{key}"
        holds_more = isinstance(inner, Section | MapOf | NameOrTable)
        if name in MEANINGS or not holds_more:
            yield name, inner
        if holds_more and name not in AS_A_WHOLE:
            yield from _below(inner, f"{name}.")
    if kind.rest is not None and f"{prefix}*" in MEANINGS:
        yield f"{prefix}*", kind.rest


def type_of(kind: Kind) -> str:
    """A kind in a word or two."""
    match kind:
        case Scalar(python_type=type_):
            return "true/false" if type_ is bool else "text"
        case Whole() | Number():
            return "number"
        case OneOf(names=names):
            return ", ".join(f"`{name}`" for name in names)
        case ListOf(item=item):
            return f"list of {type_of(item)}s" if isinstance(item, Scalar) else "list of tables"
        case MapOf() | Section():
            return "table"
        case Either(kinds=kinds):
            return " or ".join(dict.fromkeys(type_of(inner) for inner in kinds))
        case NameOrTable(names=names, tables=tables):
            plain = ", ".join(f"`{name}`" for name in names.names if name not in tables)
            return f"{plain} or a table"
        case _:
            return "anything"


def write(docs: Path) -> None:
    """Bring the page and the schema up to date."""
    page = docs / "configuration.md"
    page.write_text(with_tables(page.read_text("utf-8")), "utf-8")
    (docs / "config.schema.json").write_text(schema_text(), "utf-8")


if __name__ == "__main__":
    write(Path("docs"))
