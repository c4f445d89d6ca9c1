"""The service's own TLS: a certificate from two files, read again when they were replaced."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import structlog

from model.errors import InvalidRequest

_log = structlog.get_logger("gaitkeeper")


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files: the certificate with those that sign it, and its private key, which must not ask for a passphrase."""

    chain: Path
    key: Path

    def load(self, context: ssl.SSLContext) -> None:
        """Raises `InvalidRequest`, and leaves the context as it is."""
        try:
            _fresh().load_cert_chain(self.chain, self.key, _no_passphrase)
        except OSError as error:  # `ssl.SSLError` is one
            reason = error.strerror or (error.args[0] if error.args else type(error).__name__)
            raise InvalidRequest(
                "tls_certificate, tls_key", f"{self.chain} and {self.key} cannot be used: {reason}"
            ) from error
        context.load_cert_chain(self.chain, self.key, _no_passphrase)

    def stamp(self) -> tuple[tuple[int, int], ...]:
        """What changes when the files do. Raises OSError."""
        states = (self.chain.stat(), self.key.stat())
        return tuple((state.st_mtime_ns, state.st_ino) for state in states)


def context_of(certificate: Certificate) -> ssl.SSLContext:
    """TLS 1.2 or later with this certificate. When its files are replaced, the connection after the next one has the
    new one; until they can be used, the old one stays. Raises `InvalidRequest`."""
    context = _fresh()
    certificate.load(context)
    seen = certificate.stamp()

    def look_again(connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        nonlocal seen
        del connection, name
        try:
            if (found := certificate.stamp()) != seen:
                seen = found
                certificate.load(context)
                _log.info("the certificate was replaced")
        except (OSError, InvalidRequest) as error:
            _log.warning("the new certificate is not used", reason=str(error))

    context.sni_callback = look_again  # called in every handshake
    return context


def _fresh() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Both are the protocol's defaults in newer Pythons; a renegotiation is work that a caller has us do.
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    return context


def _no_passphrase() -> str:
    """Nobody is there to be asked; the library's own prompt would wait for ever."""
    raise InvalidRequest("tls_key", "needs a passphrase; give a key without one, readable by the service only")
