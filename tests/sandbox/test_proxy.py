"""Through the proxy a command reaches the hosts its profile allows, and nothing goes past it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from app_server.protocol.permissions import ReadOnlySandboxPolicy
from app_server.sandbox.errors import SandboxUnavailable
from app_server.sandbox.launch import prepare
from app_server.sandbox.network_rules import NetworkRules, is_public, normal
from app_server.sandbox.proxy import Protocol
from app_server.sandbox.proxy_door import ProxyDoors
from tests.sandbox.attempts import SOCKET_KINDS, SOCKETS
from tests.sandbox.conftest import MakeStage
from tests.sandbox.stage import BREACH, Result, Stage, as_user
from tests.sandbox.test_attacks_on_the_machine import Listeners
from tests.sandbox.test_profiles import ROOT, profile, project

WAIT_SECONDS = 60.0
OPEN = profile((ROOT, "read"), (project(), "write"), network=True)
RULES = NetworkRules(
    domains={"good.example": "allow", "bad.example": "deny", "**.wide.example": "allow"}
)

TALK = """
import socket
def talk(*parts):
    s = socket.create_connection(('127.0.0.1', 3128)); s.settimeout(30)
    for part in parts[:-1]: s.sendall(part); s.recv(100)
    s.sendall(parts[-1])
    said = b''
    while piece := s.recv(65536): said += piece
    print(said.decode('latin-1'))
"""


class Site:
    """A web server on loopback, found under every name; tells what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            (int(line[15:]) for line in head.split("\r\n") if line.startswith("Content-Length:")), 0
        )
        self.asked.append(head + (await reader.readexactly(length)).decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nwelcome")
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def site() -> AsyncIterator[tuple[Site, int]]:
    found = Site()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    async with server:
        yield found, server.sockets[0].getsockname()[1]


@pytest.fixture
def every_name_is_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def found(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        return real("127.0.0.1" if str(host).endswith(".example") else host, port, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", found)


class Guarded:
    """Runs commands behind a door; keeps what was asked about."""

    def __init__(self, stage: Stage, doors: ProxyDoors) -> None:
        self.stage = stage
        self.doors = doors
        self.asked: list[tuple[str, Protocol]] = []
        self.says_yes = False

    async def ask(self, host: str, protocol: Protocol) -> bool:
        self.asked.append((host, protocol))
        return self.says_yes

    async def run(self, source: str, rules: NetworkRules = RULES) -> Result:
        stage = self.stage
        door = self.doors.open(rules, self.ask)
        start = f"import os\nW, O = {str(stage.workspace)!r}, {str(stage.outside)!r}\n{TALK}"
        with as_user(stage.uid):
            command = prepare(
                OPEN,
                [stage.interpreter, "-I", "-S", "-c", start + source],
                stage.workspace,
                {"PATH": "/usr/bin:/bin"},
                door=door,
            )
        async with asyncio.timeout(WAIT_SECONDS):
            return await asyncio.to_thread(stage.run_prepared, command)

    async def get(self, url: str, rules: NetworkRules = RULES) -> str:
        host = url.split("/")[2]
        line = f"GET {url} HTTP/1.1\\r\\nHost: {host}\\r\\nProxy-Authorization: x\\r\\n\\r\\n"
        return (await self.run(f"talk(b'{line}')", rules)).output


@pytest.fixture
async def guarded(uid: int, make_stage: MakeStage) -> AsyncIterator[Guarded]:
    stage = make_stage("namespaces", uid)
    doors = ProxyDoors()
    with as_user(uid):
        await doors.__aenter__()
    try:
        yield Guarded(stage, doors)
    finally:
        await doors.__aexit__(None, None, None)


pytestmark = pytest.mark.sandbox
named = pytest.mark.usefixtures("every_name_is_this_machine")


@named
async def test_an_allowed_host_is_reached_and_told_nothing_of_the_proxy(
    guarded: Guarded, site: tuple[Site, int]
) -> None:
    said = await guarded.get(f"http://good.example:{site[1]}/path?x=1")
    assert said.endswith("welcome\n")
    assert site[0].asked == [
        f"GET /path?x=1 HTTP/1.1\r\nHost: good.example:{site[1]}\r\nConnection: close\r\n\r\n"
    ]
    assert guarded.asked == []


@named
async def test_bodies_are_passed_on_and_nothing_after_them(
    guarded: Guarded, site: tuple[Site, int]
) -> None:
    head = f"POST http://good.example:{site[1]}/ HTTP/1.1\\r\\nContent-Length: 4\\r\\n\\r\\nbody"
    more = "GET / HTTP/1.1\\r\\nHost: bad.example\\r\\n\\r\\n"
    await guarded.run(f"talk(b'{head}{more}')")
    assert [one.partition("\r\n\r\n")[2] for one in site[0].asked] == ["body"]


@named
@pytest.mark.parametrize(
    ("host", "reason", "error"),
    [
        ("bad.example", "denied", "blocked-by-denylist"),
        ("other.example", "not_allowed", "blocked-by-allowlist"),
        ("a.wide.example", "not_allowed_local", "blocked-by-allowlist"),
    ],
)
async def test_another_host_is_refused_with_the_reason(
    guarded: Guarded, site: tuple[Site, int], host: str, reason: str, error: str
) -> None:
    said = await guarded.get(f"http://{host}:{site[1]}/")
    assert said.startswith("HTTP/1.1 403 Forbidden")
    assert f"x-proxy-error: {error}\r\n" in said
    body = json.loads(said.partition("\r\n\r\n")[2])
    assert (body["host"], body["reason"], body["decision"]) == (host, reason, "deny")
    assert site[0].asked == []


@named
async def test_what_nobody_named_is_asked_about(guarded: Guarded, site: tuple[Site, int]) -> None:
    await guarded.get(f"http://other.example:{site[1]}/")
    assert guarded.asked == [("other.example", "http")]
    guarded.says_yes = True
    rules = NetworkRules(domains={"other.example": "allow"})
    assert "welcome" in await guarded.get(f"http://other.example:{site[1]}/", rules)


@named
async def test_tunnels_are_dug_to_allowed_hosts_only(
    guarded: Guarded, site: tuple[Site, int]
) -> None:
    ask = "b'GET / HTTP/1.1\\r\\n\\r\\n'"
    for host, reached in (("good.example", True), ("bad.example", False)):
        line = f"CONNECT {host}:{site[1]} HTTP/1.1\\r\\n\\r\\n"
        said = (await guarded.run(f"talk(b'{line}', {ask})")).output
        assert ("welcome" in said) is reached
    assert len(site[0].asked) == 1


@named
async def test_socks_is_spoken_too_unless_it_is_switched_off(
    guarded: Guarded, site: tuple[Site, int]
) -> None:
    port = site[1].to_bytes(2)
    for host, reached in ((b"good.example", True), (b"bad.example", False)):
        greeting, request = b"\5\1\0", b"\5\1\0\3" + bytes([len(host)]) + host + port
        source = f"talk({greeting!r}, {request!r}, b'GET / HTTP/1.1\\r\\n\\r\\n')"
        assert ("welcome" in (await guarded.run(source)).output) is reached
    silent = NetworkRules(domains={"good.example": "allow"}, speaks_socks=False)
    said = (await guarded.run("talk(b'\\5\\1\\0\\r\\n\\r\\n')", silent)).output
    assert said.startswith("HTTP/1.1 400")


@named
async def test_a_limited_profile_lets_nothing_be_sent_or_encrypted(
    guarded: Guarded, site: tuple[Site, int]
) -> None:
    limited = NetworkRules(domains={"good.example": "allow"}, reads_only=True)
    where = f"good.example:{site[1]}"
    assert "welcome" in await guarded.get(f"http://{where}/", limited)
    for line in (f"POST http://{where}/ HTTP/1.1", f"CONNECT {where} HTTP/1.1"):
        said = (await guarded.run(f"talk(b'{line}\\r\\n\\r\\n')", limited)).output
        assert '"method_not_allowed"' in said
    assert len(site[0].asked) == 1


TWO_IN_ONE = "GET http://good.example/ HTTP/1.1\\r\\nA: b\\nHost: c"


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "GET / HTTP/1.1",
        "GET ftp://x/ HTTP/1.1",
        "CONNECT x:y HTTP/1.1",
        "\\xff",
        TWO_IN_ONE,
    ],
)
async def test_what_is_no_request_is_answered_as_such(guarded: Guarded, line: str) -> None:
    said = (await guarded.run(f"talk(b'{line}\\r\\n\\r\\n')")).output
    assert said.startswith("HTTP/1.1 400")


@pytest.mark.parametrize("attempt", [*SOCKETS, *SOCKET_KINDS], ids=lambda attempt: attempt.name)
async def test_nothing_goes_past_the_proxy(guarded: Guarded, attempt: Any) -> None:
    if attempt.name == "listening":
        pytest.skip("in a network of its own a command may listen")
    listeners = Listeners(guarded.stage)
    names = f"PORT, ABSTRACT = {listeners.port}, {listeners.abstract!r}\n"
    done = await guarded.run(names + attempt.source)
    heard = listeners.heard_something()
    listeners.close()
    assert not heard
    assert BREACH not in done.output


async def test_programs_find_the_proxy_in_their_variables(guarded: Guarded) -> None:
    done = await guarded.run(
        "names = ('HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'CODEX_NETWORK_PROXY_ACTIVE',\n"
        "         'CODEX_SANDBOX_NETWORK_DISABLED')\n"
        "print(*(os.environ.get(name) for name in names))"
    )
    assert done.output.split() == [
        *("http://127.0.0.1:3128", "socks5h://127.0.0.1:3128"),
        *("localhost,127.0.0.1,::1", "1", "None"),
    ]


async def test_a_door_opens_once_and_for_its_own_command(guarded: Guarded) -> None:
    door = guarded.doors.open(RULES, guarded.ask)
    reader, writer = await asyncio.open_unix_connection(door.place)
    writer.write(b"0" * len(door.token))
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()
    assert os.stat(os.path.dirname(door.place)).st_mode & 0o077 == 0


def test_a_policy_that_is_no_profile_has_no_proxy(tmp_path: Any) -> None:
    from app_server.sandbox.proxy_door import Door

    with pytest.raises(SandboxUnavailable, match="belongs to a permission profile"):
        prepare(
            ReadOnlySandboxPolicy(network_access=True), ["true"], tmp_path, {}, door=Door("/x", "y")
        )


@pytest.mark.parametrize(
    ("host", "verdict"),
    [
        ("good.example", "allow"),
        ("GOOD.example.", "allow"),
        ("sub.good.example", "unnamed"),
        ("bad.example", "deny"),
        ("wide.example", "allow"),
        ("a.b.wide.example", "allow"),
        ("notwide.example", "unnamed"),
    ],
)
def test_names_are_matched(host: str, verdict: str) -> None:
    assert RULES.verdict(host) == verdict


def test_what_is_denied_stays_denied() -> None:
    rules = NetworkRules(domains={"*": "allow", "*.bad.example": "deny", "::1": "allow"})
    verdict: Callable[[str], str] = rules.verdict
    assert [verdict(h) for h in ("x.bad.example", "bad.example", "[::1]")] == [
        "deny",
        "allow",
        "allow",
    ]
    assert rules.names("0:0::1")
    assert not rules.names("bad.example")


@pytest.mark.parametrize(
    ("addresses", "public"),
    [
        (["93.184.216.34"], True),
        (["93.184.216.34", "10.0.0.1"], False),
        (["127.0.0.1"], False),
        (["169.254.169.254"], False),
        (["::ffff:127.0.0.1"], False),
        (["fe80::1%eth0"], False),
        (["224.0.0.1"], False),
        ([], False),
    ],
)
def test_addresses_of_private_networks_are_not_public(addresses: list[str], public: bool) -> None:
    assert is_public(addresses) is public


@pytest.mark.parametrize(
    "spelling",
    [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0X7F000001",
        "0177.0.0.01",
        "127.0.1",
        "\N{FULLWIDTH DIGIT ONE}\N{FULLWIDTH DIGIT TWO}7.0.0.1",
        "\N{SUPERSCRIPT ONE}27.0.0.1",
        "127\N{IDEOGRAPHIC FULL STOP}0\N{FULLWIDTH FULL STOP}0.1",
        "::ffff:127.0.0.1",
        "[::FFFF:7f00:1]",
        "64:ff9b::127.0.0.1",
    ],
)
def test_an_address_cannot_be_spelled_around(spelling: str) -> None:
    rules = NetworkRules(domains={"127.0.0.1": "deny", "*": "allow"})
    assert rules.verdict(spelling) == "deny"
    assert rules.verdict("93.184.216.34") == "allow"
    around = NetworkRules(domains={spelling: "deny", "*": "allow"})
    assert around.verdict("127.0.0.1") == "deny"


@pytest.mark.parametrize("spelling", ["127.1", "2130706433", "0x7f.1", "0177.0.0.01", "010.8"])
def test_numbers_are_read_as_the_resolver_reads_them(spelling: str) -> None:
    found = socket.getaddrinfo(spelling, 80, type=socket.SOCK_STREAM)
    assert {one[4][0] for one in found} == {normal(spelling)}


@pytest.mark.parametrize("spelling", ["bücher.example", "BÜCHER.Example.", "xn--bcher-kva.example"])
def test_a_name_in_other_letters_is_one_host(spelling: str) -> None:
    assert normal(spelling) == "xn--bcher-kva.example"
    assert NetworkRules(domains={"*.EXAMPLE.": "deny"}).verdict(spelling) == "deny"
    assert NetworkRules(domains={f"**.{spelling}": "deny"}).verdict("a.bücher.example") == "deny"


@named
async def test_a_denied_address_is_not_reached_by_another_name(
    guarded: Guarded, site: tuple[Site, int]
) -> None:
    rules = NetworkRules(domains={"good.example": "allow", "0x7f000001": "deny"})
    said = await guarded.get(f"http://good.example:{site[1]}/", rules)
    assert "The permission profile denies this host." in said
    assert site[0].asked == []


def test_a_host_has_one_spelling() -> None:
    assert normal("[2001:DB8:0::1]") == normal("2001:db8::1") == "2001:db8::1"
