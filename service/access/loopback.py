"""Where nobody is asked for a key, only programs of this machine are answered.

A web page of any site can have its reader's browser connect to this machine: by a name of its own that it lets point
here (DNS rebinding), or with a form. The browser says which: in `Host` the name it believes to be talking to, in
`Origin` whose page asks.
"""

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from model.errors import NotAllowed
from service.settings import is_loopback


def check_local(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raises `NotAllowed` unless `Host` is this machine by an address of its own, and `Origin`, if there is one, is
    what was served from there.

    >>> check_local([(b"host", b"127.0.0.1:8000"), (b"origin", b"http://127.0.0.1:8000")])
    >>> check_local([(b"host", b"127.0.0.1:8000"), (b"origin", b"http://127.0.0.1:3000")])
    Traceback (most recent call last):
    ...
    model.errors.NotAllowed: a page of another origin may not ask here; open the console that this service serves
    """
    hosts, origins = _values(headers, b"host"), _values(headers, b"origin")
    if len(hosts) != 1 or not _is_here(hosts[0]):
        raise NotAllowed(
            (), "without keys, this service is asked by the address of this machine only: http://127.0.0.1 or localhost"
        )
    if any(urlsplit(origin).netloc.lower() != hosts[0] for origin in origins):
        raise NotAllowed((), "a page of another origin may not ask here; open the console that this service serves")


def _values(headers: Iterable[tuple[bytes, bytes]], wanted: bytes) -> list[str]:
    return [value.decode("latin-1").strip().lower() for name, value in headers if name == wanted]


@lru_cache(maxsize=64)
def _is_here(host: str) -> bool:
    return is_loopback(_name(host))


def _name(host: str) -> str:
    """The name in a `Host` field; empty if it is none.

    >>> _name("localhost:8000"), _name("[::1]:8000"), _name("127.0.0.1"), _name("a@localhost"), _name("[::1")
    ('localhost', '::1', '127.0.0.1', '', '')
    """
    try:
        parts = urlsplit(f"//{host}")
        return "" if parts.username is not None or parts.netloc != host else parts.hostname or ""
    except ValueError:
        return ""
