"""What says that a delivery is ours: `X-Gaitkeeper-Signature: t=…,v1=…`, v1 being HMAC-SHA256 (RFC 2104) in hex."""

import hmac
from secrets import token_urlsafe

PREFIX = "whsec_"


def new_secret() -> str:
    """256 bits from the system, as they are shown once; the text itself is the key."""
    return PREFIX + token_urlsafe(32)


def signature(secret: bytes, at: int, body: bytes) -> str:
    """The header for a body that is sent at a moment, in seconds since 1970.

    >>> signature(b"whsec_secret", 1700000000, b"{}")[:16]
    't=1700000000,v1='
    """
    return f"t={at},v1={hmac.new(secret, f'{at}.'.encode() + body, 'sha256').hexdigest()}"
