"""What a request is about to do, by method and path: who asks again or gives up must know if anything changed."""

# Questions that are too long for an address. They change nothing, so to ask one twice is to ask twice.
_ASKED_BY_POST = frozenset({"/identify", "/verify", "/classify", "/embed", "/sequences"})
_CHANGING = frozenset({"PUT", "PATCH", "DELETE"})


def changes(method: str, path: str) -> bool:
    """Whether something is other than before when this is answered.

    >>> changes("POST", "/galleries"), changes("POST", "/identify"), changes("GET", "/galleries")
    (True, False, False)
    """
    return method in _CHANGING or (method == "POST" and path not in _ASKED_BY_POST)


def kept(method: str, path: str) -> bool:
    """Whether an answer is kept under its `Idempotency-Key`: of a POST that changes something. Others can be repeated
    as they are, frames come in too fast to be written down, and an answer that shows a secret is written down nowhere.

    >>> kept("POST", "/galleries"), kept("DELETE", "/galleries/entrance"), kept("POST", "/streams/s1/frames")
    (True, False, False)
    >>> kept("POST", "/keys"), kept("POST", "/keys/abcdefgh2345/rotation"), kept("POST", "/webhooks")
    (False, False, False)
    """
    return method == "POST" and changes(method, path) and not is_frames(path) and not shows_secret(path)


def shows_secret(path: str) -> bool:
    return path == "/webhooks" or path == "/keys" or path.startswith("/keys/")


def encodes(path: str) -> bool:
    """Whether a change waits for a model first, and says itself when it begins (`service.deadline.committed`).

    >>> encodes("/galleries/default/subjects/ada/templates"), encodes("/galleries/default/subjects/ada/merge")
    (True, False)
    """
    return path.startswith("/galleries/") and path.endswith("/templates")


def is_frames(path: str) -> bool:
    return path.startswith("/streams/") and path.endswith("/frames")
