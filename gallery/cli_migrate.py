"""The commands `gallery migrate` and `gallery rollback`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.options import AsJson, BundlePath, Data, Yes, confirmed

if TYPE_CHECKING:
    from gallery.migrate import Filling, Migrated
    from model.runtime import Encoder

NAMES_SHOWN = 20

Name = Annotated[str, typer.Argument(help="Name of the gallery.")]
Partial = Annotated[
    bool, typer.Option("--partial", help="Leave behind whoever cannot be embedded again, for want of a skeleton.")
]


def migrate(
    name: Name,
    bundle: Annotated[
        Path | None, typer.Option("--bundle", help="The new bundle: a directory, or a shipped bundle's name.")
    ] = None,
    data: Data = Path("gaitkeeper-data"),
    partial: Partial = False,
    switch: Annotated[
        bool, typer.Option("--switch/--no-switch", help="Let the new generation answer, or only fill and measure it.")
    ] = True,
    calibrate: Annotated[
        bool, typer.Option("--calibrate/--no-calibrate", help="Measure agreement and a calibration for it first.")
    ] = True,
    drop_old: Annotated[bool, typer.Option("--drop-old", help="Delete the former generations instead.")] = False,
    abandon: Annotated[bool, typer.Option("--abandon", help="Give up a migration that has begun instead.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Change a gallery's encoder: embed its skeletons again with another bundle, beside the gallery that goes on
    answering, and switch. Interrupted or killed, the same command goes on. `gallery rollback` goes back.

    Example: gaitkeeper gallery migrate staff --bundle ./new-bundle

    Example: gaitkeeper gallery migrate staff --drop-old --yes
    """
    from gallery import migrate as use_case
    from gallery.opening import open_bundle_or_default, open_data, open_encoder
    from gallery.printing import err, print_json

    if sum((bundle is not None, drop_old, abandon)) != 1:
        raise typer.BadParameter("give --bundle, or --drop-old, or --abandon")
    if bundle is None:
        _drop(name, data, abandon=abandon, yes=yes)
        return
    encoder = open_encoder(open_bundle_or_default(bundle))
    store = open_data(data)
    try:
        filling = use_case.begin(store, name, encoder, partial=partial)
        _fill(filling)
        with err.status("measuring"):
            done = use_case.complete(filling, partial=partial, calibrated=calibrate, switched=switch)
    finally:
        store.close()
    if as_json:
        print_json(done)
    else:
        _say(done)


def rollback(
    name: Name,
    bundle: BundlePath = None,
    data: Data = Path("gaitkeeper-data"),
    partial: Partial = False,
    as_json: AsJson = False,
) -> None:
    """Go back to the generation that answered before the last switch. What was enrolled since is embedded with its
    bundle where there is a skeleton of it; done twice, it goes forward again.

    Example: gaitkeeper gallery rollback staff

    Example: gaitkeeper gallery rollback staff --bundle ./old-bundle
    """
    from gallery import migrate as use_case
    from gallery.opening import open_data
    from gallery.printing import print_json

    store = open_data(data)
    try:
        filling = use_case.begin_rollback(store, name, None)
        waiting = filling.count()
        if waiting:
            encoder = _encoder_for(filling, bundle, waiting, partial)
            filling = use_case.begin_rollback(store, name, encoder)
            _fill(filling)
        done = use_case.complete(filling, partial=partial, calibrated=False)
    finally:
        store.close()
    if as_json:
        print_json(done)
    else:
        _say(done)


def _encoder_for(filling: "Filling", bundle: Path | None, waiting: int, partial: bool) -> "Encoder | None":
    """The encoder of the generation to go back to; None where what was enrolled since is to be left behind."""
    from gallery.opening import open_bundle_or_default, open_encoder
    from model.errors import InvalidRequest

    opened = open_bundle_or_default(bundle)
    if bundle is not None or opened.fingerprint == filling.target.fingerprint:
        return open_encoder(opened)
    if partial:
        return None
    raise InvalidRequest(
        "bundle",
        f"{waiting} templates were enrolled since and can be embedded again: name the bundle "
        f"{filling.target.fingerprint[:12]} with --bundle, or leave them behind with --partial",
    )


def _fill(filling: "Filling") -> None:
    """Embed what waits; Ctrl-C takes effect between two batches, and the same command goes on."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from gallery.interrupt import held_back
    from gallery.printing import err

    columns = (TextColumn("embedding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    total, done = filling.count(), 0
    try:
        with (
            held_back() as interrupt,
            Progress(*columns, console=err, disable=not err.is_terminal) as progress,
        ):
            task = progress.add_task("", total=total)
            interrupt.check()
            for count in filling.steps():
                done += count
                progress.advance(task, count)
                interrupt.check()
    except KeyboardInterrupt:
        err.print(f"interrupted: {done} of {total} are done; the same command goes on from here", markup=False)
        raise


def _drop(name: str, data: Path, *, abandon: bool, yes: bool) -> None:
    from gallery.opening import open_data
    from gallery.printing import out
    from gallery.store.generations import drop, newest
    from gallery.template import State
    from model.errors import InvalidRequest

    state = State.BUILDING if abandon else State.RETIRED
    what = "the migration that has begun" if abandon else "every former generation"
    store = open_data(data)
    try:
        if newest(store, name, state) is None:
            raise InvalidRequest(
                "gallery", f"{name!r} has no {'migration to give up' if abandon else 'former generation'}"
            )
        if not yes:
            confirmed(f"Delete {what} of gallery {name}? There is no way back.")
        gone = drop(store, name, {state})
    finally:
        store.close()
    for each in gone:
        size = f"{each.subjects} subjects, {each.templates} templates"
        out.print(f"deleted the generation of bundle {each.fingerprint[:12]}: {size}", markup=False, soft_wrap=True)


def _say(done: "Migrated") -> None:
    from gallery.printing import out

    for line in _lines(done):
        out.print(line, markup=False, soft_wrap=True)


def _lines(done: "Migrated") -> list[str]:
    said = f"answers with bundle {done.after[:12]} from change {done.seq} on"
    if done.seq is None:
        said = f"still answers with bundle {done.before[:12]}; without --no-switch the new generation takes over"
    lines = [f"gallery {done.gallery} {said}"]
    lines.append(f"{done.subjects} subjects, {done.templates} templates")
    if (agreement := done.agreement) is not None:
        same = f"{agreement.nearest:.1%} of {agreement.probes} templates"
        lines.append(f"agreement: {same} have the same subject nearest as before")
        if agreement.rank1_before is not None and agreement.rank1_after is not None:
            lines.append(
                f"rank-1 among all others: {agreement.rank1_before:.1%} before, {agreement.rank1_after:.1%} now "
                f"({agreement.mated} templates with another of their subject)"
            )
    if done.calibration is not None:
        lines.append(f"calibration: {done.calibration}, measured on these templates")
    elif done.uncalibrated is not None:
        lines.append(f"no calibration of its own: {done.uncalibrated}")
    if done.behind.templates:
        lines.append(f"{done.behind.templates} templates of subjects who came along have no usable skeleton")
    if names := done.behind.subjects:
        more = f" and {len(names) - NAMES_SHOWN} more (--json lists all)" if len(names) > NAMES_SHOWN else ""
        lines.append(f"left behind, {len(names)} subjects: {', '.join(names[:NAMES_SHOWN])}{more}")
    for template, why in list(done.refused.items())[:NAMES_SHOWN]:
        lines.append(f"template {template} was not embedded: {why}")
    return lines
