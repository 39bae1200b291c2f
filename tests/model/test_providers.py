"""Built-in and configured providers."""

from typing import Any

import pytest

from app_server.model.providers import (
    CHAT_IS_GONE,
    InvalidProvider,
    ProviderInfo,
    all_providers,
    built_in,
    configured,
    find_provider,
)


def test_openai_needs_a_sign_in_and_chooses_its_address_by_it() -> None:
    openai = built_in(environment={})["openai"]
    assert openai.requires_openai_auth
    assert openai.is_openai
    assert openai.url("responses") == "https://api.openai.com/v1/responses"
    assert (
        openai.url("responses", uses_chatgpt_backend=True)
        == "https://chatgpt.com/backend-api/codex/responses"
    )


def test_a_configured_address_replaces_both_of_openais() -> None:
    openai = built_in(openai_base_url="http://proxy/v1/", environment={})["openai"]
    assert openai.url("responses") == "http://proxy/v1/responses"
    assert openai.url("responses", uses_chatgpt_backend=True) == "http://proxy/v1/responses"


def test_openai_hears_of_organisation_and_project_when_they_are_set() -> None:
    openai = built_in(environment={})["openai"]
    assert set(openai.headers({})) == {"version"}
    named = {"OPENAI_ORGANIZATION": "org", "OPENAI_PROJECT": " "}
    assert openai.headers(named)["openai-organization"] == "org"
    assert "openai-project" not in openai.headers(named)


@pytest.mark.parametrize(
    ("environment", "ollama", "lmstudio"),
    [
        ({}, "http://localhost:11434/v1", "http://localhost:1234/v1"),
        ({"CODEX_OSS_PORT": "99"}, "http://localhost:99/v1", "http://localhost:99/v1"),
        ({"CODEX_OSS_BASE_URL": "http://h/v1"}, "http://h/v1", "http://h/v1"),
        ({"OLLAMA_HOST": "10.0.0.1"}, "http://10.0.0.1:11434/v1", "http://localhost:1234/v1"),
        ({"OLLAMA_HOST": "0.0.0.0:99"}, "http://127.0.0.1:99/v1", "http://localhost:1234/v1"),
        ({"OLLAMA_HOST": ":99"}, "http://127.0.0.1:99/v1", "http://localhost:1234/v1"),
        ({"OLLAMA_HOST": "https://box:1/"}, "https://box:1/v1", "http://localhost:1234/v1"),
    ],
)
def test_local_services_listen_where_variables_say(
    environment: dict[str, str], ollama: str, lmstudio: str
) -> None:
    found = built_in(environment=environment)
    assert (found["ollama"].base_url, found["lmstudio"].base_url) == (ollama, lmstudio)
    assert not found["ollama"].requires_openai_auth


def test_local_services_have_a_model_of_their_own_to_begin_with() -> None:
    found = built_in(environment={})
    assert {name: found[name].default_model for name in found} == {
        "openai": None,
        "ollama": "gpt-oss:20b",
        "lmstudio": "openai/gpt-oss-20b",
    }


def test_a_table_becomes_a_provider() -> None:
    table = {
        "name": "Mine",
        "base_url": "https://host/v1",
        "env_key": "MY_KEY",
        "env_key_instructions": "Ask Ada.",
        "wire_api": "responses",
        "http_headers": {"X-One": "1", "bad name": "x", "x-bad": "a\r\nb"},
        "env_http_headers": {"X-Two": "TWO", "X-Three": "THREE"},
        "query_params": {"api-version": "2 0"},
        "request_max_retries": 1_000,
        "stream_max_retries": 0,
        "stream_idle_timeout_ms": 1_500,
        "supports_websockets": False,
        "some_later_key": 1,
    }
    provider = configured("mine", table)
    assert provider.url("responses") == "https://host/v1/responses?api-version=2+0"
    assert provider.headers({"TWO": "2"}) == {"x-one": "1", "x-two": "2"}
    assert provider.request_max_retries == 100
    assert provider.stream_max_retries == 0
    assert provider.stream_idle_timeout_seconds == 1.5
    assert provider.env_key == "MY_KEY"


def test_a_table_with_nothing_in_it_has_the_usual_patience() -> None:
    assert configured("x", {}) == ProviderInfo(
        id="x",
        name="",
        request_max_retries=4,
        stream_max_retries=5,
        stream_idle_timeout_seconds=300.0,
    )


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"wire_api": "chat"}, "model_providers.x.wire_api", CHAT_IS_GONE),
    (
        {"wire_api": "soap"},
        "model_providers.x.wire_api",
        "unknown variant `soap`, expected `responses`",
    ),
    (
        {"auth": {"command": "a"}, "env_key": "B"},
        "model_providers.x",
        "model_providers.x: provider auth cannot be combined with env_key",
    ),
]


@pytest.mark.parametrize(("table", "key", "problem"), WRONG)
def test_a_table_that_cannot_be_used_says_why(
    table: dict[str, Any], key: str, problem: str
) -> None:
    with pytest.raises(InvalidProvider) as failure:
        configured("x", table)
    assert (failure.value.key, failure.value.problem) == (key, problem)


def test_a_wrong_type_names_the_key() -> None:
    with pytest.raises(InvalidProvider, match="stream_max_retries"):
        configured("x", {"stream_max_retries": "many"})


def test_the_refusal_of_the_chat_protocol_names_its_replacement() -> None:
    assert CHAT_IS_GONE == (
        '`wire_api = "chat"` is no longer supported.\n'
        'How to fix: set `wire_api = "responses"` in your provider config.\n'
        "More info: https://github.com/openai/codex/discussions/7782"
    )


def test_built_in_ids_cannot_be_redefined() -> None:
    with pytest.raises(InvalidProvider) as failure:
        all_providers({"openai": {"name": "x"}}, environment={})
    assert failure.value.problem == (
        "model_providers contains reserved built-in provider IDs: `openai`. Built-in providers "
        "cannot be overridden. Rename your custom provider (for example, `openai-custom`)."
    )


def test_a_provider_is_found_by_its_id() -> None:
    assert find_provider("mine", {"mine": {"name": "Mine"}}, environment={}).name == "Mine"
    assert find_provider("ollama", {}, environment={}).is_local
    with pytest.raises(InvalidProvider, match="Model provider `nope` not found"):
        find_provider("nope", {}, environment={})
    with pytest.raises(InvalidProvider, match="replace `ollama-chat` with `ollama`"):
        find_provider("ollama-chat", {}, environment={})


@pytest.mark.parametrize(
    ("name", "url", "stores"),
    [
        ("Azure", "https://x/v1", True),
        ("mine", "https://a.openai.azure.com/openai/v1", True),
        ("mine", "https://host/v1", False),
    ],
)
def test_azure_keeps_answers(name: str, url: str, stores: bool) -> None:
    assert configured("x", {"name": name, "base_url": url}).stores_answers is stores
