"""The protocol as TypeScript: every type in a file of its own, importing what it names."""

import re
from pathlib import Path

import pytest

from app_server.cli.main import main
from app_server.protocol.schema import build_bundle
from app_server.protocol.typescript import type_of, write_typescript

FILES = Path(__file__).with_name("typescript_files.txt")
"""The files that `codex app-server generate-ts --experimental` of 0.128 writes."""

_IMPORT = re.compile(r'import type \{ (\w+) \} from "(\.[^"]+)";')


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("typescript")
    write_typescript(folder, experimental=True)
    return folder


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (True, "JsonValue"),
        ({"type": "array"}, "Array<JsonValue>"),
        ({"type": ["string", "null"]}, "string | null"),
        ({"type": "string", "enum": ["a", "b"]}, '"a" | "b"'),
        ({"type": ["string", "null"], "enum": ["a"]}, '"a" | null'),
        ({"$ref": "#/definitions/v2/Turn"}, "Turn"),
        ({"type": "array", "items": {"type": "integer"}}, "Array<number>"),
        ({"type": "object"}, "Record<string, never>"),
        (
            {"type": "object", "additionalProperties": {"type": "boolean"}},
            "{ [key: string]: boolean | undefined }",
        ),
        (
            {
                "type": "object",
                "required": ["b"],
                "properties": {
                    "a-b": {"type": "string"},
                    "b": {"type": "number"},
                    "type": {"type": "string", "enum": ["x"]},
                },
            },
            '{ type?: "x"; "a-b"?: string; b: number }',
        ),
        (
            {"anyOf": [{"$ref": "#/definitions/A"}, {"type": "null"}]},
            "A | null",
        ),
    ],
)
def test_a_schema_becomes_a_type(schema: object, text: str) -> None:
    assert type_of(schema) == text


def test_every_type_stands_in_the_index_of_its_folder(written: Path) -> None:
    for folder in (written, written / "v2"):
        exported = re.findall(r"export type \{ (\w+) \}", (folder / "index.ts").read_text())
        assert {*exported, "index"} == {path.stem for path in folder.glob("*.ts")}
    definitions = build_bundle(experimental=True)["definitions"]
    newer = definitions.pop("v2")
    wanted = {name for name in {**definitions, **newer} if not name.startswith("JSONRPC")}
    renamed = {"ResponsesApiWebSearchAction"}
    assert wanted - renamed <= {path.stem for path in written.rglob("*.ts")}


def test_what_programs_import_from_the_original_is_in_the_same_files(written: Path) -> None:
    for file in FILES.read_text().split():
        text = (written / f"{file}.ts").read_text()
        name = file.rpartition("/")[2].replace("index", r"\w+")
        assert re.search(rf"^export type (\{{ )?{name}\b", text, re.MULTILINE), file


def test_imports_lead_to_files_and_cover_what_is_used(written: Path) -> None:
    names = {path.stem for path in written.rglob("*.ts")}
    for path in written.rglob("*.ts"):
        text = path.read_text()
        imports = dict(_IMPORT.findall(text))
        for name, place in imports.items():
            assert (path.parent / f"{place}.ts").is_file(), f"{path.name}: {name}"
        if path.stem != "index":
            body = re.sub(r'"[^"]*"', "", text.split("export type ", 1)[1])
            used = set(re.findall(r"\b[A-Z]\w+\b", body)) & names
            assert used - {path.stem} == set(imports), path.name


def test_what_is_always_sent_can_be_read_without_asking_whether_it_is_there(
    written: Path,
) -> None:
    def fields(file: str) -> str:
        return (written / "v2" / f"{file}.ts").read_text()

    assert "; memoryCitation: MemoryCitation | null; " in fields("ThreadItem")
    assert "; path?: string | null; " in fields("ConfigWarningNotification")
    assert "; cwd?: string | null; " in fields("ThreadStartParams")
    assert "{ deferLoading?: boolean; " in fields("DynamicToolSpec")


def test_without_experimental_the_experimental_is_left_out(tmp_path: Path) -> None:
    assert main(["app-server", "generate-ts", "--out", str(tmp_path)]) == 0
    assert "dynamicTools" not in (tmp_path / "v2" / "ThreadStartParams.ts").read_text()


def test_a_place_that_cannot_be_written_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["app-server", "generate-ts", "--out", str(tmp_path / "file")]) == 1
    assert f"{tmp_path / 'file'}" in capsys.readouterr().err
    assert main(["app-server", "generate-ts"]) == 2
    assert "--out FOLDER is missing" in capsys.readouterr().err
