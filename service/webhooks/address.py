"""Where a webhook may lead: a public address, by HTTPS.

Whoever may manage a gallery is not thereby allowed to ask what is in the network that the service is in. A name is
looked up at each delivery, all that it leads to must be public, and the connection is made to the address that was
looked at: a name that leads elsewhere a moment later (DNS rebinding) leads nowhere.
"""

import ipaddress
import re
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from model.errors import InvalidRequest

URL_LENGTH = 2048
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\.?")
_PORTS = {"http": 80, "https": 443}
# RFC 6052: an IPv4 address in the last four bytes, which a NAT64 leads to.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class NotAllowed(Exception):
    """The address is one of this machine or of a private network."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL, taken apart. path: with its query."""

    secure: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == _PORTS["https" if self.secure else "http"]
        return host if usual else f"{host}:{self.port}"


def target_of(url: str, *, private: bool = False) -> Target:
    """private: whether this machine and private networks may be named, and plain HTTP be used.

    Raises `InvalidRequest`.
    """
    if len(url) > URL_LENGTH or not _VISIBLE.fullmatch(url):
        raise InvalidRequest("url", f"must have at most {URL_LENGTH} visible ASCII characters")
    try:
        parts = urlsplit(url)
        target = _taken_apart(parts)
    except ValueError as error:
        raise InvalidRequest("url", "is not one") from error
    if not target.secure and not private:
        raise InvalidRequest("url", "must begin with https://")
    if not private and _is_known_to_be_private(target.host):
        raise InvalidRequest("url", "must not lead to this machine or a private network")
    return target


def _taken_apart(parts: SplitResult) -> Target:
    if parts.scheme not in _PORTS:
        raise InvalidRequest("url", "must begin with https://")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidRequest("url", "must have neither credentials nor a fragment")
    host = parts.hostname or ""
    if ":" in host:
        ipaddress.IPv6Address(host)
    elif len(host) > 253 or not _HOST.fullmatch(host):
        raise InvalidRequest("url", "must name a host; write one with other letters in its ASCII form (xn--…)")
    port = _PORTS[parts.scheme] if parts.port is None else parts.port
    if not 1 <= port <= 65535:
        raise InvalidRequest("url", "has no such port")
    path = parts.path or "/"
    return Target(parts.scheme == "https", host, port, f"{path}?{parts.query}" if parts.query else path)


def addresses_of(target: Target, *, private: bool = False) -> list[str]:
    """The addresses that the target leads to now. Raises OSError where there is none, and `NotAllowed` where one of
    them is not public, unless `private`."""
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
    if not private and not all(map(is_public, addresses)):
        raise NotAllowed
    return addresses


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet's, and none that hides another one.

    >>> [is_public(each) for each in ("8.8.8.8", "10.0.0.1", "::1", "::ffff:10.0.0.1", "2606:4700::1")]
    [True, False, False, False, True]
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        hidden = found.ipv4_mapped or found.sixtofour or (found.teredo and found.teredo[1])
        if found in _NAT64:
            hidden = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if hidden:
            return is_public(str(hidden))
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)


def _is_known_to_be_private(host: str) -> bool:
    try:
        return not is_public(host)
    except ValueError:
        return host.rstrip(".").lower().rpartition(".")[2] in ("localhost", "local", "internal")
