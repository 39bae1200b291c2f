"""Every locked package has a licence we may build on; read from its metadata, offline."""

import re
from importlib import metadata
from pathlib import Path

import pytest

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"
LOCKED = re.findall(r"^([A-Za-z0-9_.-]+)==", LOCK.read_text(), re.MULTILINE)
ACCEPTED = re.compile(
    r"\b(MIT|MIT-0|BSD|BSD-[23]-Clause|Apache|Apache-2\.0|ISC|MPL-2\.0|MPL|PSF|PSF-2\.0|PSFL"
    r"|Python Software Foundation|Mozilla Public|ISCL)\b"
)
LINKED_NOWHERE = {"pyte": "LGPLv3; the tests' terminal, imported unchanged"}
ONLY_ELSEWHERE = {"colorama", "pywin32-ctypes"}
"""Locked for other systems and not installed here."""


@pytest.mark.parametrize("package", sorted(set(LOCKED) - ONLY_ELSEWHERE))
def test_a_locked_package_has_a_licence_we_accept(package: str) -> None:
    told = _licence(package)
    assert ACCEPTED.search(told) or package in LINKED_NOWHERE, f"{package}: {told!r}"


def _licence(package: str) -> str:
    about = metadata.metadata(package)
    classifiers = about.get_all("Classifier") or []
    names = [name for name in classifiers if name.startswith("License ::")]
    return " ".join(filter(None, (about.get("License-Expression"), about.get("License"), *names)))
