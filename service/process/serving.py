"""One deployment from settings to its last answer."""

import gc
import os
from pathlib import Path
from shlex import quote

import structlog

from gallery.store import Store
from gallery.store.api_keys import make_first_key
from service.app import create_app
from service.engine.opening import open_engine
from service.engine.reloading import reload_on_hangup
from service.operation.metrics import Metrics
from service.operation.telemetry import exporting
from service.process import server
from service.settings import DATA, Settings, is_loopback

COLLECT_AFTER = 50_000  # more containers made than freed


def serve_until_stopped(settings: Settings) -> None:
    """Serve and say where on stdout, until SIGTERM or Ctrl-C. SIGHUP opens the bundles again.

    Raises `InvalidRequest` if the address cannot be had, `InvalidBundle` or `StoreUnavailable` before it listens.
    """
    with server.listen(settings.host, settings.port) as sock, exporting(os.environ) as tracing:
        _warn_if_in_the_clear(settings)
        engine = open_engine(settings, Metrics())
        app = create_app(settings, engine, tracing)
        reload_on_hangup(engine.reloading)
        where = server.address(sock, server.scheme(settings))
        _collect_seldom()

        def announce() -> None:
            print(f"gaitkeeper answers at {where}, with a console at {where}/console; Ctrl-C stops it", flush=True)
            if settings.access == "keys":
                show_first_key(engine.library.store, settings.data)

        server.run(app, sock, settings, announce)


def _collect_seldom() -> None:
    """What was opened stays, so the collector of cycles need not look at it again and again; and requests leave few
    cycles. At Python's own threshold it takes a tenth of the throughput at 16 requests at once."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)


def show_first_key(store: Store, data: Path) -> None:
    """Where nobody could ask anything yet, an admin's key, this once. Whoever lost it makes another one."""
    made = make_first_key(store)
    if made is not None:
        print(f"the key of an admin, shown this once: {made[1]}", flush=True)
        where = "" if data == DATA else f" --data {quote(str(data))}"
        print(f"keys for others: gaitkeeper api-keys create --name 'camera 3' --scope identify{where}", flush=True)


def _warn_if_in_the_clear(settings: Settings) -> None:
    if settings.tls_certificate is None and not settings.trusted_proxies and not is_loopback(settings.host):
        structlog.get_logger("gaitkeeper").warning(
            "keys and skeletons go over the network in the clear: set tls_certificate and tls_key, or let a proxy of"
            " trusted_proxies do it",
            host=settings.host,
        )
