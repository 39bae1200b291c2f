"""One client per kind of address, and the certificates it trusts."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from app_server.demo.provider import ScriptedModel
from app_server.model.errors import ModelError
from app_server.model.http import HttpClients, NetworkSettingsUnusable, trusted_certificates
from tests.model.conftest import MakeClient, ask


async def test_a_client_is_made_once_and_kept(http: HttpClients) -> None:
    assert await http.client("https://a/v1") is await http.client("https://b/v1")
    assert await http.client("http://127.0.0.1:1/v1") is await http.client("http://localhost/v1")
    assert await http.client("http://a/v1") is not await http.client("https://a/v1")


async def test_a_bundle_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("no certificate")
    for environment in (
        {"CODEX_CA_CERTIFICATE": str(tmp_path / "missing.pem")},
        {"SSL_CERT_FILE": str(bundle)},
    ):
        async with HttpClients(environment) as clients:
            with pytest.raises(NetworkSettingsUnusable, match=next(iter(environment))):
                await clients.client("https://host/v1")
            await clients.warm("https://host/v1")
            await clients.client("http://127.0.0.1/v1")


async def test_the_first_named_bundle_is_added_to_what_is_trusted_anyway(tmp_path: Path) -> None:
    certificate = tmp_path / "own.pem"
    certificate.write_text(CERTIFICATE)
    counts = []
    for environment in ({}, {"CODEX_CA_CERTIFICATE": str(certificate), "SSL_CERT_FILE": "unread"}):
        counts.append(trusted_certificates(environment).cert_store_stats()["x509_ca"])
    assert counts[1] == counts[0] + 1


async def test_a_proxy_is_not_used_for_this_machine(
    model: ScriptedModel, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    await ask(make_client())
    assert len(model.requests) == 1


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "gopher://proxy"])
async def test_a_proxy_that_cannot_be_used_is_a_readable_error(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    client = make_client(base_url="http://model.example/v1")
    await client.warm()
    with pytest.raises(ModelError, match="the proxy of the environment") as failure:
        await ask(client)
    assert not failure.value.retryable


async def test_warming_makes_the_client_and_sends_nothing(
    model: ScriptedModel, make_client: MakeClient, http: HttpClients
) -> None:
    await make_client().warm()
    made = await http.client(model.url)
    assert not made.is_closed
    assert model.connections_opened == 0
    await http.aclose()
    assert made.is_closed


async def test_the_client_brings_no_terminal_libraries_and_the_first_request_no_imports() -> None:
    program = (
        "import asyncio, sys\n"
        "from app_server.demo.provider import ScriptedModel\n"
        "from app_server.model.http import HttpClients\n"
        "async def main():\n"
        "    async with ScriptedModel() as model, HttpClients({}) as http:\n"
        "        client = await http.client(model.url)\n"
        "        loaded = set(sys.modules)\n"
        "        answer = await client.post(model.url + '/responses', content=b'{}')\n"
        "        late = set(sys.modules) - loaded\n"
        "        shown = {'rich', 'click', 'textual', 'pygments'} & set(sys.modules)\n"
        "    return late or shown or answer.status_code != 200\n"
        "sys.exit(asyncio.run(main()) or 0)\n"
    )
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program], check=True, timeout=30)


CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBljCCAT2gAwIBAgIUCqWJhdGHQPiQQn+Tc8081w9JQMIwCgYIKoZIzj0EAwIw
IDEeMBwGA1UEAwwVQ29kZXggaW4gUHl0aG9uIHRlc3RzMCAXDTI2MTEyMTA2MTkx
NFoYDzIxMjYxMDI4MDYxOTE0WjAgMR4wHAYDVQQDDBVDb2RleCBpbiBQeXRob24g
dGVzdHMwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQ/bRV+RZF7ZAEXJ01nLdNK
U9EjBVR3RlW1IcChHNHFkqD34pi9c6XgJU0M2P9WdHa3jZYzThLCic61/Mf7jVVF
o1MwUTAdBgNVHQ4EFgQURpyY2pHAIR97Q3L+q0jOlDa6C40wHwYDVR0jBBgwFoAU
RpyY2pHAIR97Q3L+q0jOlDa6C40wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD
AgNHADBEAiBu9RhmQASQX1ksAmhWyE07J8iMvt2N4v6FSJOhj9OOPwIgfPLLJbY5
9Ji+0DRw06Qj9w4hfYdnVQPuapEFaawUTRE=
-----END CERTIFICATE-----
"""
