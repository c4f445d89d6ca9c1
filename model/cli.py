"""The commands `inspect`, `convert` and `bundle`."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from model.bundle import Bundle
    from model.conversion import Conversion
    from model.readers import Recording, Track

__all__ = ["bundle", "convert", "inspect"]

bundle = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Show and check exported models.\n\nExample: gaitkeeper bundle show gait-sim-coco17",
)

MANY = 300
"""Tracks from which on judging takes long enough to show progress."""


def _ratio(text: str) -> float:
    from model.readers.recording import ratio_of

    try:
        return ratio_of(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


File: TypeAlias = Annotated[Path, typer.Argument(help="Keypoint file, or a folder of OpenPose or ASF/AMC files.")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TrackName: TypeAlias = Annotated[str | None, typer.Option("--track", help="Only this track.")]
Fps: TypeAlias = Annotated[
    float | None, typer.Option("--fps", min=0.1, max=1000, help="Frames a second, if the file does not say.")
]
Aspect: TypeAlias = Annotated[
    float | None,
    typer.Option("--aspect", parser=_ratio, metavar="W:H", help="Image width:height, or their ratio (16:9, 1.78)."),
]
LayoutName: TypeAlias = Annotated[
    str | None, typer.Option("--layout", help="Layout, where the number of joints leaves a choice.")
]
BundlePath: TypeAlias = Annotated[str, typer.Argument(metavar="BUNDLE", help="Directory, or a shipped bundle's name.")]


def inspect(
    file: File,
    as_json: AsJson = False,
    track: TrackName = None,
    fps: Fps = None,
    aspect: Aspect = None,
    layout: LayoutName = None,
) -> None:
    """Say what is in a keypoint file, and whether it is usable.

    Exit status: 0 if a track is usable, 1 if none is, 2 if the file cannot be read.

    Example: gaitkeeper inspect walk.json --fps 30
    """
    from rich.progress import track as with_progress

    from model.inspection import inspect_recording
    from model.inspection_tables import err, out, tables_of

    recording = _chosen(_read(file, fps, aspect, layout), track)

    def progress(tracks: "Iterable[Track]") -> "Iterable[Track]":
        shown = len(recording.tracks) > MANY and not as_json
        return with_progress(list(tracks), "judging", console=err, transient=True) if shown else tracks

    found = inspect_recording(recording, progress)
    if as_json:
        _print_json(found.facts())
    else:
        for part in tables_of(found):
            out.print(part)
    raise typer.Exit(0 if found.usable else 1)


def convert(
    file: File,
    target: Annotated[Path, typer.Option("--out", help="File to write; ends in .json or .npz.")],
    layout: Annotated[str | None, typer.Option("--layout", help="Layout to convert to.")] = None,
    source_layout: Annotated[
        str | None, typer.Option("--source-layout", help="The file's layout, where its joints leave a choice.")
    ] = None,
    track: TrackName = None,
    fps: Fps = None,
    aspect: Aspect = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write a keypoint file as our JSON or npz, in another layout if wanted.

    Several people become several tracks of one JSON; an npz holds one (choose it with --track).

    Example: gaitkeeper convert openpose_folder/ --out walk.json --layout coco-17 --fps 25
    """
    from model.errors import InvalidRequest, SeveralTracks
    from model.inspection_tables import conversion_lines, out, said
    from model.writing import SUFFIXES, to_json, to_npz, write

    if target.suffix not in SUFFIXES:
        raise InvalidRequest("out", f"{target.name!r} must end in {' or '.join(SUFFIXES)}")
    recording = _chosen(_read(file, fps, aspect, source_layout), track)
    tracks, conversion = _converted(recording, layout)
    if target.suffix == ".npz" and len(tracks) > 1:
        raise SeveralTracks(str(file), [each.name for each in tracks])
    write(target, to_json(tracks) if target.suffix == ".json" else to_npz(tracks[0].sequence), force=force)
    if as_json:
        _print_json(_told(target, tracks, conversion, recording))
        return
    out.print(f"wrote {said(str(target))}: {len(tracks)} track{'s' * (len(tracks) > 1)}", soft_wrap=True)
    for line in (*(conversion_lines(conversion) if conversion else ()), *(f"note: {n}" for n in recording.notes)):
        out.print(said(line), soft_wrap=True)


@bundle.command("show")
def show(path: BundlePath, as_json: AsJson = False) -> None:
    """Show what a bundle holds and what it was trained on.

    Example: gaitkeeper bundle show gait-sim-coco17
    """
    from rich.markdown import Markdown

    from model.bundle import open_bundle
    from model.inspection_tables import out, said

    opened = open_bundle(path)
    manifest = opened.manifest
    if as_json:
        told = {"fingerprint": opened.fingerprint, "path": str(opened.path), **manifest.model_dump(mode="json")}
        _print_json({**told, "calibrated": opened.calibration_json() is not None})
        return
    out.print(f"[bold]{said(manifest.name)}[/] ({' and '.join(opened.tasks)})")
    out.print(f"fingerprint  {opened.fingerprint}", soft_wrap=True)
    out.print(f"takes        {_taken(opened)}", soft_wrap=True)
    for number, member in enumerate(manifest.streams):
        title = "" if number else "networks"
        streams = said(", ".join(member.streams))
        out.print(f"{title:<13}{member.weight:g} x {said(member.name)} ({streams})", soft_wrap=True)
    out.print(f"gives        {_given(opened)}")
    out.print(f"calibrated   {'yes' if opened.calibration_json() is not None else 'no'}")
    out.print(f"created      {said(manifest.created)}\n")
    out.print(Markdown(opened.card()))


@bundle.command("check")
def check(path: BundlePath, as_json: AsJson = False) -> None:
    """Check every file of a bundle, and that it computes here what it computed where it was made.

    Example: gaitkeeper bundle check gait-sim-coco17
    """
    from model.bundle import open_bundle
    from model.errors import InvalidBundle
    from model.inspection_tables import out, said
    from model.runtime import check_parity

    opened = open_bundle(path)
    worst = check_parity(opened)
    if not worst <= PARITY:
        raise InvalidBundle(str(opened.path), f"computes something else here: differs by {worst:.1e}")
    if as_json:
        _print_json({"name": opened.name, "files": len(opened.manifest.files), "difference": worst, "allowed": PARITY})
        return
    files = len(opened.manifest.files)
    out.print(f"{said(opened.name)}: {files} files have the right hash; largest difference {worst:.1e} ({PARITY:g})")


PARITY = 1e-4
"""By how much an output may differ from what the trained network gave; as in the export."""


def _read(file: Path, fps: float | None, aspect: float | None, layout: str | None) -> "Recording":
    from model.readers import Hints, read

    return read(file, hints=Hints(fps=fps, aspect=aspect, layout=layout))


def _chosen(recording: "Recording", track: str | None) -> "Recording":
    from dataclasses import replace

    from model.readers import only_track

    return recording if track is None else replace(recording, tracks=(only_track(recording, track),))


def _converted(recording: "Recording", layout: str | None) -> "tuple[tuple[Track, ...], Conversion | None]":
    """The tracks in the layout asked for, and what that changed; None where they stay as they are."""
    from dataclasses import replace

    from model.conversion import convert as in_layout
    from model.named_layouts import layout_named

    if layout is None:
        return recording.tracks, None
    target = layout_named(layout)
    each = [in_layout(track.sequence, target) for track in recording.tracks]
    tracks = tuple(replace(t, sequence=c.sequence) for t, c in zip(recording.tracks, each, strict=True))
    return tracks, each[0]


def _told(
    target: Path, tracks: "tuple[Track, ...]", conversion: "Conversion | None", recording: "Recording"
) -> dict[str, object]:
    return {
        "out": str(target),
        "format": recording.format,
        "tracks": [
            {"name": t.name, "frames": t.sequence.frames, "layout": t.sequence.layout.name, "fps": t.sequence.fps}
            for t in tracks
        ],
        "interpolated": list(conversion.interpolated) if conversion else [],
        "missing": list(conversion.missing) if conversion else [],
        "dropped": list(conversion.dropped) if conversion else [],
        "notes": list(recording.notes),
    }


def _taken(opened: "Bundle") -> str:
    clip = opened.manifest.clip
    rate = f"at {clip.fps:g} a second" if clip.sampling == "windows" else f"of the whole recording, {clip.clips} times"
    people = f", up to {clip.people} people" if clip.people > 1 else ""
    return f"{opened.layout.name}, {clip.dims}-D, {clip.frames} frames {rate}{people}"


def _given(opened: "Bundle") -> str:
    manifest = opened.manifest
    parts = [f"embeddings of {manifest.dim} numbers"] if manifest.dim else []
    parts += [f"one of {len(manifest.labels)} actions ({', '.join(manifest.labels)})"] if manifest.labels else []
    return "; ".join(parts)


def _print_json(value: object) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.write("\n")
