"""Every declared method is either answered or known not to be."""

import pytest

from app_server.protocol.catalog import CLIENT_METHODS
from app_server.protocol.errors import InvalidRequest
from app_server.server import registry
from app_server.server.registry import HANDLER_MODULES, NOT_OURS, NOT_YET, handler_of


def test_every_method_is_in_exactly_one_table() -> None:
    tables = (set(HANDLER_MODULES), set(NOT_OURS), set(NOT_YET))
    assert set.union(*tables) == set(CLIENT_METHODS)
    assert sum(map(len, tables)) == len(CLIENT_METHODS)


@pytest.mark.parametrize("method", sorted(HANDLER_MODULES))
def test_a_method_with_a_module_has_its_handler_there(method: str) -> None:
    assert handler_of(method).__module__.endswith(f".{HANDLER_MODULES[method]}")


@pytest.mark.parametrize("method", sorted(NOT_OURS | NOT_YET))
def test_a_method_without_a_handler_says_so_by_name(method: str) -> None:
    with pytest.raises(InvalidRequest, match=f"`{method}` is not"):
        handler_of(method)


def test_two_handlers_for_one_method_are_an_error() -> None:
    from app_server.protocol.initialize import INITIALIZE

    handler_of("initialize")
    with pytest.raises(ValueError, match="two handlers for initialize"):
        registry.handles(INITIALIZE)(handler_of("initialize"))
