"""Signs documents with Ed25519 (RFC 8032), so that receipts and archives say whose they are."""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from model.errors import InvalidArchive

ALGORITHM = "Ed25519"


def new_signing_key() -> bytes:
    """32 bytes, private."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def public_of(private: bytes) -> bytes:
    """32 bytes, for everybody: with them a signature can be checked."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def canonical(document: Mapping[str, Any]) -> bytes:
    """The one way to write a document: JSON in UTF-8, keys sorted, no spaces, no NaN.

    As RFC 8785 has it for documents without fractions and with ASCII keys.

    >>> canonical({"b": [1, "é"], "a": None}).decode()
    '{"a":null,"b":[1,"é"]}'
    """
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sign(private: bytes, document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with `algorithm`, `public_key` and `signature`, the last over all the rest in canonical form."""
    signed = {**document, "algorithm": ALGORITHM, "public_key": b64encode(public_of(private)).decode()}
    signature = Ed25519PrivateKey.from_private_bytes(private).sign(canonical(signed))
    return {**signed, "signature": b64encode(signature).decode()}


def check_signature(document: Mapping[str, Any], public: bytes | None) -> None:
    """Raises `InvalidArchive` unless the document is as whoever holds the private key of `public` signed it.

    public: 32 bytes from somewhere trusted. With None the document is checked by the key it names itself: it is
    then whole, but may be anybody's.
    """
    rest = {key: value for key, value in document.items() if key != "signature"}
    named = _decoded(document, "public_key", 32)
    signature = _decoded(document, "signature", 64)
    if document.get("algorithm") != ALGORITHM:
        raise InvalidArchive("signature", f"must be of algorithm {ALGORITHM}")
    if public is not None and named != public:
        raise InvalidArchive("signature", f"is by key {b64encode(named).decode()}, not by the one that is trusted")
    try:
        Ed25519PublicKey.from_public_bytes(named).verify(signature, canonical(rest))
    except (InvalidSignature, ValueError, TypeError):
        raise InvalidArchive(
            "signature", "does not fit: the document was changed, or signed by somebody else"
        ) from None


def _decoded(document: Mapping[str, Any], key: str, length: int) -> bytes:
    text = document.get(key)
    try:
        found = b64decode(text, validate=True) if isinstance(text, str) else b""
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != length:
        raise InvalidArchive("signature", f"{key} is missing or malformed")
    return found
