"""One deployment from settings to its last answer."""

import ipaddress

import structlog

from service import server
from service.app import create_app
from service.metrics import Metrics
from service.opening import open_engine
from service.reloading import reload_on_hangup
from service.settings import Settings


def serve_until_stopped(settings: Settings) -> None:
    """Serve and say where on stdout, until SIGTERM or Ctrl-C. SIGHUP opens the bundles again.

    Raises `InvalidRequest` if the address cannot be had, `InvalidBundle` or `StoreUnavailable` before it listens.
    """
    with server.listen(settings.host, settings.port) as sock:
        _warn_if_exposed(settings.host)
        engine = open_engine(settings, Metrics())
        app = create_app(settings, engine)
        reload_on_hangup(engine.reloading)
        where = server.address(sock)

        def announce() -> None:
            print(f"gaitkeeper answers at {where}, documented at {where}/docs; Ctrl-C stops it", flush=True)

        server.run(app, sock, settings, announce)


def _warn_if_exposed(host: str) -> None:
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local:
        structlog.get_logger("gaitkeeper").warning(
            "reachable from other machines without keys: whoever reaches it can enroll, identify and erase", host=host
        )
