"""The one command. It knows the names of the sub-commands; each loads its package when it is called."""

import errno
import importlib
import io
import sys
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_command

INTERRUPTED = 130

# name: (module, attribute, one line of help), in the order of a first use
COMMANDS: dict[str, tuple[str, str, str]] = {
    "demo": ("service.cli", "demo", "Enroll samples, identify probes and strangers, print what was answered."),
    "serve": ("service.cli", "serve", "Start the HTTP service."),
    "inspect": ("model.cli", "inspect", "Say what is in a keypoint file and whether it is usable."),
    "convert": ("model.cli", "convert", "Write a keypoint file as our JSON or npz, in another layout if wanted."),
    "gallery": ("gallery.cli", "gallery", "Create, list, show and delete galleries."),
    "enroll": ("gallery.cli", "enroll", "Enroll one file, or a manifest of thousands."),
    "identify": ("gallery.cli", "identify", "Who is it, or nobody we know?"),
    "verify": ("gallery.cli", "verify", "Is it this subject?"),
    "calibrate": ("gallery.cli_calibrate", "calibrate", "Measure a gallery's own thresholds."),
    "classify": ("model.cli_classify", "classify", "Which action is it?"),
    "stream": (
        "service.streams.cli",
        "stream",
        "Play a file into a service as a camera would: who is it, as they walk?",
    ),
    "subjects": ("gallery.cli", "subjects", "List, show and erase subjects."),
    "api-keys": (
        "gallery.cli_api_keys",
        "api_keys",
        "Make, list, rotate and revoke the keys of callers of the service.",
    ),
    "keys": ("gallery.cli_keys", "keys", "Show and exchange the keys that galleries are encrypted under."),
    "store": ("gallery.cli_store", "store", "Check, back up and restore the data."),
    "audit": ("gallery.cli_audit", "audit", "Who did what, when; check that the log is whole."),
    "bundle": ("model.cli", "bundle", "Show and check exported models."),
    "simulate": ("training.simulate.cli", "app", "Simulate walkers and actions."),
    "data": ("training.data.cli", "data", "Say what is in a data set and whether it is all there."),
    "train": ("training.cli", "train", "Train a network from a recipe (needs the extra `train`)."),
    "reproduce": ("training.reproduce.cli", "reproduce", "Every table and figure of the ACLNet paper, ours beside it."),
    "export": ("training.cli_export", "export", "Export a run to a bundle (needs the extra `train`)."),
    "tune": ("training.tune.cli", "tune_command", "Choose how the models run fastest on this machine."),
    "evaluate": (
        "training.evaluate.cli",
        "app",
        "Rank-1 on CASIA-B and other protocols, open set, accuracy, calibration.",
    ),
}


class LazyGroup(TyperGroup):
    """Lists every sub-command without importing any."""

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        if ctx.resilient_parsing or not _called(cmd_name):
            return _placeholder(cmd_name)
        return _load(cmd_name)


def _called(name: str) -> bool:
    """Whether the command line names this sub-command; otherwise only its line of help is wanted."""
    return name in sys.argv[1:]


def _placeholder(name: str) -> Any:
    app = typer.Typer()
    app.command(name, help=COMMANDS[name][2])(lambda: None)
    return get_command(app)


def _load(name: str) -> Any:
    module, attribute, help_line = COMMANDS[name]
    found = getattr(importlib.import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        app.command(name)(found)
        found = app
    found.pretty_exceptions_enable = False
    command = get_command(found)
    command.name = name
    command.short_help = help_line
    return command


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Knows people by how they move: skeleton sequences in, a decision out.",
    epilog="First steps: `gaitkeeper demo`, then `gaitkeeper inspect FILE` on a keypoint file of your own.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"gaitkeeper {version('gaitkeeper')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    del version


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and exit; errors that somebody can mend are one line on stderr and status 2."""
    if arguments is not None:
        sys.argv = ["gaitkeeper", *arguments]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a file's name need not be text, and a terminal's letters not all
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(standalone_mode=True, prog_name="gaitkeeper")
    except SystemExit as stop:
        code = stop.code
        if code == INTERRUPTED:
            print("interrupted; what was acknowledged is kept", file=sys.stderr)
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except OSError as error:
        code = _explained(error)
    except ImportError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # Ctrl-C while a compiled module was loading
            print("interrupted", file=sys.stderr)
            raise SystemExit(INTERRUPTED) from None
        if error.name is None or error.name.partition(".")[0] in {"model", "gallery", "service", "training"}:
            raise
        print(f"error: {error.name} is not installed; install the extra that this command needs", file=sys.stderr)
        code = 2
    except Exception as error:
        from model.errors import GaitkeeperError

        if not isinstance(error, GaitkeeperError):
            raise
        print(f"error: {error}", file=sys.stderr)
        code = 2
    raise SystemExit(code)


def _explained(error: OSError) -> int:
    known = {errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.EISDIR, errno.ENOTDIR}
    if error.errno not in known:
        raise error
    where = f"{error.filename}: " if error.filename else ""
    print(f"error: {where}{error.strerror}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
