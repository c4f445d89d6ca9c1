"""Is a webhook's delivery the service's own? To be asked before anything of it is believed."""

import hmac
import time
from collections.abc import Callable

HEADER = "X-Gaitkeeper-Signature"


def verify_signature(
    secret: str, header: str, body: bytes, *, tolerance_s: float = 300.0, clock: Callable[[], float] = time.time
) -> bool:
    """Whether `header` (`t=…,v1=…`) is the signature of `body` under the webhook's secret, and of now.

    v1 is the HMAC-SHA256, in hex, of the time, a dot, and the body as it came. tolerance_s: how old it may be, so that
    nobody can send a delivery again which they once saw; its `X-Gaitkeeper-Delivery` tells two of them apart.
    """
    parts = [part.strip().partition("=") for part in header.split(",")]
    at = next((value for name, _, value in parts if name == "t"), "")
    if not (at.isascii() and at.isdigit()) or len(at) > 12 or abs(clock() - int(at)) > tolerance_s:
        return False
    expected = hmac.new(secret.encode(), f"{at}.".encode() + body, "sha256").hexdigest().encode()
    given = [value.encode("utf-8", "replace") for name, _, value in parts if name == "v1"]
    return any(hmac.compare_digest(expected, each) for each in given)
