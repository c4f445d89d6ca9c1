"""`gaitkeeper serve` and `gaitkeeper demo`."""

import ipaddress
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import msgspec
import structlog
import typer
from rich.console import Console

from service import log, server
from service.app import create_app
from service.demo import Answered, run_demo
from service.demo_report import print_report, summary
from service.metrics import Metrics
from service.opening import open_engine
from service.samples import Samples, shipped
from service.settings import Settings

Data = Annotated[Path | None, typer.Option("--data", help="Directory of the store [./gaitkeeper-data].")]
Host = Annotated[str | None, typer.Option(help="Address to listen at [127.0.0.1].")]
Port = Annotated[int | None, typer.Option(help="Port to listen at; 0 takes a free one [8000].")]
Bundle = Annotated[Path | None, typer.Option(help="Bundle directory [the shipped one].")]
Threads = Annotated[int | None, typer.Option(help="Threads of one encoder call [as ONNX Runtime chooses].")]


def serve(
    host: Host = None,
    port: Port = None,
    data: Data = None,
    encoder: Bundle = None,
    classifier: Bundle = None,
    threads: Threads = None,
    access_log: Annotated[bool | None, typer.Option(help="Log a line for each request.")] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Start the HTTP service, and stop it cleanly on Ctrl-C or SIGTERM.

    Every option can be given in the environment too, as GAITKEEPER_HOST, GAITKEEPER_LIMITS__FRAMES and so on.
    Logs are JSON lines on stderr.

    Example: `gaitkeeper serve --port 8080 --data /var/lib/gaitkeeper`
    """
    settings = Settings.read(
        os.environ,
        host=host,
        port=port,
        data=data,
        encoder=encoder,
        classifier=classifier,
        threads=threads,
        access_log=access_log,
    )
    log.configure(log_level)
    sock = server.listen(settings.host, settings.port)
    _warn_if_exposed(settings.host)
    app = create_app(settings, open_engine(settings, Metrics()))
    where = server.address(sock)

    def announce() -> None:
        print(f"gaitkeeper answers at {where}, documented at {where}/docs; Ctrl-C stops it", flush=True)

    server.run(app, sock, settings, announce)


def demo(
    samples: Annotated[Path | None, typer.Option(help="Folder of samples [the shipped ones].")] = None,
    port: Annotated[int, typer.Option(help="Port to serve at; 0 takes a free one.")] = 0,
    encoder: Bundle = None,
    classifier: Bundle = None,
    once: Annotated[bool, typer.Option("--once", help="End after the table, at a terminal too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was asked and answered as JSON.")] = False,
) -> None:
    """Start the service with fresh data, enroll samples, and ask it about their probes, strangers and actions.

    Prints what was asked and answered, with both kinds of error counted. At a terminal it goes on serving until Ctrl-C.

    Example: `gaitkeeper demo --once`
    """
    signal.signal(signal.SIGTERM, server.leave)
    chosen = Samples(samples) if samples else shipped()
    settings = Settings.read({}, port=port, encoder=encoder, classifier=classifier)
    console = Console()
    with run_demo(chosen, settings, Console(stderr=True)) as (where, answered):
        _print(answered, where, as_json, console)
        if sys.stdout.isatty() and sys.stdin.isatty() and not once:
            console.print(f"\nStill serving. Try it out at [bold]{where}/docs[/bold]; Ctrl-C ends the demo.")
            _wait_for_interrupt()


def _print(answered: list[Answered], where: str, as_json: bool, console: Console) -> None:
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(summary(answered, where))) + b"\n")
    else:
        print_report(answered, console)


def _wait_for_interrupt() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return


def _warn_if_exposed(host: str) -> None:
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if not local:
        structlog.get_logger("gaitkeeper").warning(
            "reachable from other machines without keys: whoever reaches it can enroll, identify and erase", host=host
        )
