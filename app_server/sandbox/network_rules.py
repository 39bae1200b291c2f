"""Which hosts a command may reach through the proxy: rules by name, pure.

`example.com` means that host, `*.example.com` hosts below it, `**.example.com` both, `*` all. What
is denied stays denied whatever is allowed; what nobody named is up to whoever is asked. Addresses
of this machine and of private networks are reached only where they are named in full.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

Verdict: TypeAlias = Literal["allow", "deny", "unnamed"]
Reason: TypeAlias = Literal["denied", "not_allowed", "not_allowed_local", "method_not_allowed"]

Domains: TypeAlias = Mapping[str, Literal["allow", "deny"]]

HARMLESS_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))


class NetworkRules(msgspec.Struct, frozen=True, kw_only=True):
    """A profile's network table, as far as the proxy goes by it."""

    domains: Domains = {}
    reads_only: bool = False
    """`mode = "limited"`: plain HTTP that only asks; what is encrypted may be anything."""
    speaks_socks: bool = True

    def verdict(self, host: str) -> Verdict:
        """What the names say of a host."""
        name = normal(host)
        said = {mode for pattern, mode in self.domains.items() if _means(pattern, name)}
        if "deny" in said:
            return "deny"
        return "allow" if "allow" in said else "unnamed"

    def denies_address(self, address: str) -> bool:
        """Whether an address is denied as such, by whatever name it was found."""
        wanted = normal(address)
        return any(mode == "deny" and normal(key) == wanted for key, mode in self.domains.items())

    def names(self, host: str) -> bool:
        """Whether the host is allowed by its own name, and not only by a pattern."""
        name = normal(host)
        return any(mode == "allow" and normal(key) == name for key, mode in self.domains.items())


def rules_of(table: Mapping[str, Any]) -> NetworkRules:
    """What a `[permissions.NAME.network]` table says, as configuration has checked it."""
    return NetworkRules(
        domains=dict(table.get("domains", {})),
        reads_only=table.get("mode") == "limited",
        speaks_socks=table.get("enable_socks5", True),
    )


def normal(host: str) -> str:
    """One spelling for one host: as the resolver takes it, and an address as its dotted or IPv6
    form, whether it came as one number, in hexadecimal, shortened or inside another address."""
    name = host.strip().strip("[]")
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            pass  # the resolver does not take it either
    name = name.rstrip(".").lower()
    if _NUMBERS.fullmatch(name):
        try:
            return socket.inet_ntoa(socket.inet_aton(name))
        except OSError:
            return name
    try:
        return str(_address(name))
    except ValueError:
        return name


_NUMBERS = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}")
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address that is really reached. Raises `ValueError`."""
    found = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address):
        return found
    if found in _TRANSLATED:
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found.ipv4_mapped or found


def is_public(addresses: Sequence[str]) -> bool:
    """Whether all of these lie in the internet. Of none the answer is no."""
    return bool(addresses) and all(_is_public(address) for address in addresses)


def _is_public(address: str) -> bool:
    found = _address(address)
    return found.is_global and not found.is_multicast


def _means(pattern: str, name: str) -> bool:
    text = pattern.strip().lower()
    if text == "*":
        return True
    if text.startswith("**."):
        below = normal(text[3:])
        return name == below or name.endswith("." + below)
    if text.startswith("*."):
        return name.endswith("." + normal(text[2:]))
    return normal(text) == name
