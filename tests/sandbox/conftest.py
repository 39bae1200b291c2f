"""Every case runs under each mechanism this machine has, and as each user it can be."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from app_server.protocol.permissions import SandboxPolicy
from app_server.sandbox import bubblewrap, probe
from app_server.sandbox.probe import Mechanism
from tests.sandbox.stage import ORDINARY_UID, READ_ONLY, Stage, interpreter_of
from tests.sandbox.table import OPTION, pytest_addoption, pytest_configure

__all__ = ["pytest_addoption", "pytest_configure"]

USERS = [os.geteuid()] + ([ORDINARY_UID] if os.geteuid() == 0 else [])
MECHANISMS: list[Mechanism] = ["bubblewrap", "namespaces", "landlock"]


@cache
def why_not(mechanism: Mechanism) -> str | None:
    """Why a mechanism cannot be tried on this machine; None if it can."""
    if mechanism == "bubblewrap":
        program = bubblewrap.find_program()
        if program is None:
            return "bubblewrap is not installed"
        trial = probe.try_bubblewrap(program)
    else:
        trial = probe.try_namespaces() if mechanism == "namespaces" else probe.try_landlock()
    assert "Traceback" not in trial.complaint, trial.complaint  # ours, not the machine's
    return None if trial.works else trial.complaint


def _name(uid: int) -> str:
    return "root" if uid == 0 else "user"


MakeStage = Callable[[Mechanism | None, int], Stage]


@pytest.fixture
def make_stage() -> Iterator[MakeStage]:
    """Builds stages, or skips where the mechanism is missing; removes them at the end."""
    made: list[Stage] = []

    def make(mechanism: Mechanism | None, uid: int) -> Stage:
        probe.facts()  # as ourselves, not as the user a command is prepared for
        reason = why_not(mechanism) if mechanism is not None else None
        if reason is not None:
            pytest.skip(reason)
        if uid != os.geteuid():
            try:
                interpreter_of(uid)
            except LookupError as error:
                pytest.skip(str(error))
        made.append(Stage(mechanism, uid))
        return made[-1]

    yield make
    for stage in made:
        stage.remove()


@pytest.fixture(params=USERS, ids=_name)
def uid(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    return found


@pytest.fixture(params=["bubblewrap", "namespaces"])
def stage(request: pytest.FixtureRequest, uid: int, make_stage: MakeStage) -> Stage:
    """A workspace that may be written."""
    return make_stage(request.param, uid)


@pytest.fixture(params=MECHANISMS)
def any_stage(request: pytest.FixtureRequest, uid: int, make_stage: MakeStage) -> Stage:
    """Also Landlock, which holds read-only policies."""
    return make_stage(request.param, uid)


@pytest.fixture
def open_stage(make_stage: MakeStage) -> Stage:
    """Nothing is confined here, and nobody is the superuser if that can be helped."""
    return make_stage(None, USERS[-1])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ordinarily the policy that opens most of what a mechanism is used for; for the page, both."""
    if "policy" in metafunc.fixturenames:
        is_page = metafunc.config.getoption(OPTION, default=None) is not None
        kinds = ["workspace_write", "read_only"] if is_page else [None]
        metafunc.parametrize("policy", kinds, indirect=True, ids=None if is_page else [""])


@pytest.fixture
def policy(request: pytest.FixtureRequest, any_stage: Stage) -> SandboxPolicy:
    """What the command of an attack is held by."""
    if any_stage.mechanism == "landlock":
        if request.param == "workspace_write":
            pytest.skip("Landlock alone is used for read-only policies only")
        return READ_ONLY
    return READ_ONLY if request.param == "read_only" else any_stage.policy()
