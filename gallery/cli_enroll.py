"""The command `enroll`: one file, or a manifest of thousands that goes on where it was interrupted."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gallery.options import (
    AsJson,
    Aspect,
    BundlePath,
    ConsentReference,
    Data,
    DuplicateFpir,
    DuplicatesMode,
    Expires,
    Fps,
    GalleryName,
    LayoutName,
    Purpose,
    TrackName,
)

if TYPE_CHECKING:
    from gallery.enroll import Result, Submission
    from gallery.interrupt import Interrupt
    from gallery.manifest import Entry


def enroll(
    file: Annotated[Path | None, typer.Argument(help="Keypoint file (see `gaitkeeper inspect`).")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Whose it is.")] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--manifest",
            help="CSV with columns file, subject[, track, fps, aspect, consent, purpose, expires, labels ...].",
        ),
    ] = None,
    name: GalleryName = "default",
    data: Data = Path("gaitkeeper-data"),
    bundle: BundlePath = None,
    label: Annotated[list[str] | None, typer.Option("--label", help="KEY=VALUE, as often as wanted.")] = None,
    track: TrackName = None,
    fps: Fps = None,
    aspect: Aspect = None,
    layout: LayoutName = None,
    reference: ConsentReference = None,
    purpose: Purpose = None,
    expires: Expires = None,
    duplicates: DuplicatesMode = None,
    duplicate_fpir: DuplicateFpir = None,
    force: Annotated[bool, typer.Option("--force", help="Enroll even who looks like somebody else.")] = False,
    as_json: AsJson = False,
) -> None:
    """Enroll one file, or all files of a manifest. What is enrolled already is passed over, so that a run which was
    interrupted is finished by the same command. A new subject who looks like another is refused where the gallery has
    a calibration of its own. Status 0: all are enrolled; 1: some of a manifest were refused; 2: an error.

    Example: gaitkeeper enroll walk.json --subject ann --label view=090

    Example: gaitkeeper enroll --manifest people.csv --gallery staff
    """
    from gallery.duplicates import Duplicates, Screen
    from gallery.enroll import enroll as enroll_all
    from gallery.enroll_report import Report
    from gallery.interrupt import held_back
    from gallery.opening import open_bundle_or_default, open_encoder, open_library
    from gallery.printing import err, print_json

    labels = _labels(label or [])
    hints = {"track": track, "fps": fps, "aspect": aspect, "layout": layout}
    consent = {"consent": reference, "purpose": purpose, "expires": expires}
    entries = _entries(file, subject, manifest, labels, hints, consent)
    wanted = "off" if force else duplicates
    mode = None if wanted is None else Duplicates(wanted)
    submissions = _read(entries)
    if manifest is None:
        # A file that cannot be read is known before anything is made for it.
        submissions = iter([_submission(entries[0])])
    opened = open_bundle_or_default(bundle)
    report = Report()
    with open_library(data, opened, make=True) as library:
        encoder = open_encoder(opened)
        if library.ensure(name, fingerprint=opened.fingerprint, dim=encoder.dim):
            err.print(f"created gallery {name}", markup=False)
        screen = Screen(library, name, fingerprint=opened.fingerprint, mode=mode, fpir=duplicate_fpir)
        try:
            with held_back() as interrupt:
                until_interrupted = _checked(submissions, interrupt)
                results = enroll_all(library, encoder, name, until_interrupted, screen=screen)
                for result in _with_progress(results, len(entries)):
                    report.add(result)
        except KeyboardInterrupt:
            err.print(f"interrupted: {report.summary()}; the same command goes on from here", markup=False)
            raise
    if as_json:
        print_json(report.told(name, screen))
    else:
        report.say(name, screen, of_one=manifest is None)
    if report.refused:
        raise typer.Exit(2 if manifest is None else 1)


def _labels(pairs: Sequence[str]) -> dict[str, str]:
    labels = {}
    for pair in pairs:
        key, separator, value = pair.partition("=")
        if not (key and separator):
            raise typer.BadParameter(f"{pair!r} is not KEY=VALUE", param_hint="--label")
        labels[key] = value
    return labels


def _entries(
    file: Path | None,
    subject: str | None,
    manifest: Path | None,
    labels: dict[str, str],
    hints: dict[str, Any],
    consent: dict[str, str | None],
) -> "list[Entry]":
    from gallery.consent import consent_of
    from gallery.manifest import Entry, read_manifest
    from gallery.template import check_id, check_labels

    check_labels(labels)
    if manifest is not None:
        if file is not None or subject is not None or any(hints.values()):
            raise typer.BadParameter("a manifest has file, subject, track, fps, aspect and layout in its own columns")
        from dataclasses import replace

        lines = read_manifest(manifest, consent)
        return [replace(entry, labels={**labels, **entry.labels}) for entry in lines]
    if file is None or subject is None:
        raise typer.BadParameter("give FILE and --subject, or --manifest")
    subject = check_id("subject", subject)
    said = consent_of(consent["consent"], consent["purpose"], consent["expires"])
    return [Entry(line=0, file=file, subject=subject, labels=labels, consent=said, **hints)]


def _checked(items: "Iterator[Submission | Result]", interrupt: "Interrupt") -> "Iterator[Submission | Result]":
    """The items, until Ctrl-C: between two files nothing is half enrolled."""
    for item in items:
        interrupt.check()
        yield item


def _read(entries: "Sequence[Entry]") -> "Iterator[Submission | Result]":
    """Each file as a submission, or the refusal of one that cannot be read."""
    from gallery.enroll import refused
    from model.errors import GaitkeeperError, UnreadableFile

    for entry in entries:
        try:
            yield _submission(entry)
        except GaitkeeperError as error:
            yield refused(_name(entry), entry.subject, error)
        except OSError as error:
            reason = UnreadableFile(str(entry.file), error.strerror or str(error))
            yield refused(_name(entry), entry.subject, reason)


def _submission(entry: "Entry") -> "Submission":
    from gallery.enroll import Submission
    from gallery.opening import read_track

    found, notes = read_track(entry.file, entry.track, fps=entry.fps, aspect=entry.aspect, layout=entry.layout)
    labels = {**found.labels, **entry.labels}
    return Submission(_name(entry), entry.subject, found.sequence, labels, notes, entry.consent)


def _name(entry: "Entry") -> str:
    return str(entry.file) if entry.track is None else f"{entry.file} [{entry.track}]"


def _with_progress(results: "Iterator[Result]", total: int) -> "Iterator[Result]":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from gallery.printing import err

    columns = (TextColumn("enrolling"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=total == 1 or not err.is_terminal) as progress:
        task = progress.add_task("", total=total)
        for result in results:
            progress.advance(task)
            yield result
