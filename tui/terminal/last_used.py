"""Model and effort last used in each folder, so that the first picture is the right one.

One line a folder, tab-separated, the latest last. Standard library only. A file that cannot be read
or written is as good as none.
"""

import os

REMEMBERED_FOLDERS = 200


def last_used(codex_home: str, cwd: str) -> tuple[str, str]:
    """Model and effort last used in `cwd`, else in any folder, else empty."""
    try:
        with open(_memory_file(codex_home), encoding="utf-8") as file:
            lines = [line.rstrip("\n").split("\t") for line in file]
    except (OSError, UnicodeDecodeError):
        return "", ""
    entries = [line for line in lines if len(line) == 3]
    here = [line for line in entries if line[0] == cwd]
    chosen = (here or entries)[-1:]
    return (chosen[0][1], chosen[0][2]) if chosen else ("", "")


def remember(codex_home: str, cwd: str, model: str, effort: str) -> None:
    """Keep model and effort for the next start in `cwd`; silently nothing where it cannot."""
    if last_used(codex_home, cwd) == (model, effort) or not model or "\t" in cwd or "\n" in cwd:
        return
    path = _memory_file(codex_home)
    try:
        with open(path, encoding="utf-8") as file:
            lines = [line for line in file if not line.startswith(cwd + "\t")]
    except (OSError, UnicodeDecodeError):
        lines = []
    lines = [*lines[-REMEMBERED_FOLDERS + 1 :], f"{cwd}\t{model}\t{effort}\n"]
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        new = f"{path}.{os.getpid()}"
        with open(new, "w", encoding="utf-8") as file:
            file.writelines(lines)
        os.replace(new, path)
    except (OSError, UnicodeEncodeError):
        pass


def _memory_file(codex_home: str) -> str:
    return os.path.join(codex_home, "cache", "last-used-models.tsv")
