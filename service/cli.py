"""`gaitkeeper serve` and `gaitkeeper demo`.

What they run is imported when they are called: help is quick, and the numeric libraries read how many threads they
may start when they are loaded.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]
Access: TypeAlias = Literal["keys", "loopback"]
Data = Annotated[Path | None, typer.Option("--data", help="Directory of the store (./gaitkeeper-data).")]
Host = Annotated[str | None, typer.Option(help="Address to listen at (127.0.0.1).")]
Port = Annotated[int | None, typer.Option(help="Port to listen at; 0 takes a free one (8000).")]
Bundle = Annotated[Path | None, typer.Option(help="Bundle: a directory, or a shipped one's name (the shipped one).")]
Threads = Annotated[int | None, typer.Option(help="Threads of one call of a model (half the processors).")]


def serve(
    host: Host = None,
    port: Port = None,
    data: Data = None,
    encoder: Bundle = None,
    classifier: Bundle = None,
    threads: Threads = None,
    access_log: Annotated[bool | None, typer.Option(help="Log a line for each request.")] = None,
    access: Annotated[Access | None, typer.Option(help="By keys; or without, from this machine only (keys).")] = None,
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM file: serve HTTPS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM file: the certificate's private key.")] = None,
    log_level: Annotated[LogLevel, typer.Option(help="Least severity that is logged.")] = "info",
) -> None:
    """Start the HTTP service, and stop it cleanly on Ctrl-C or SIGTERM.

    Every option can be given in the environment too, as GAITKEEPER_HOST, GAITKEEPER_LIMITS__FRAMES and so on.
    Logs are JSON lines on stderr. The first start prints the key of an admin, once; --access loopback does without.

    Example: `gaitkeeper serve --port 8080 --data /var/lib/gaitkeeper`
    """
    _one_thread_a_call()
    from service.operation import log
    from service.process.server import leave
    from service.process.serving import serve_until_stopped
    from service.settings import Settings

    signal.signal(signal.SIGTERM, leave)  # while it opens, too: the first process of a container would not hear of it
    options = {"host": host, "port": port, "data": data, "encoder": encoder, "classifier": classifier}
    exposure = {"access": access, "tls_certificate": tls_certificate, "tls_key": tls_key}
    settings = Settings.read(os.environ, **options, **exposure, threads=threads, access_log=access_log)
    log.configure(log_level)
    serve_until_stopped(settings)


def demo(
    samples: Annotated[Path | None, typer.Option(help="Folder of samples (the shipped ones).")] = None,
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
    _one_thread_a_call()
    from rich.console import Console

    from service.demo import run_demo
    from service.demo_report import print_json, print_report
    from service.process.server import leave
    from service.samples import Samples, shipped
    from service.settings import Settings

    signal.signal(signal.SIGTERM, leave)
    chosen = Samples(samples) if samples else shipped()
    settings = Settings.read({}, port=port, encoder=encoder, classifier=classifier)
    console = Console(highlight=False)
    with run_demo(chosen, settings, Console(stderr=True)) as (where, answered):
        if as_json:
            print_json(answered, where)
        else:
            print_report(chosen, answered, console)
        if sys.stdout.isatty() and sys.stdin.isatty() and not once:
            console.print(f"\nStill serving, until Ctrl-C. Try it out: {where}/docs")
            _wait_for_interrupt()


def _one_thread_a_call() -> None:
    """The service is parallel across requests; threads inside a matrix product would wait for each other, spinning."""
    for name, value in {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}.items():
        os.environ.setdefault(name, value)


def _wait_for_interrupt() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return
