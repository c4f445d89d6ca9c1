"""Ids that a caller names: what none of ours looks like is not asked the database for, which may not take it at all."""

import re

from model.errors import UnknownResource

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def check_resource(kind: str, key: str) -> None:
    """Raises `UnknownResource` for what is no id (RFC 9562) as jobs and webhooks have them.

    >>> check_resource("job", "00000000-0000-4000-8000-000000000000")
    """
    if not _ID.fullmatch(key):
        raise UnknownResource(kind, key)
