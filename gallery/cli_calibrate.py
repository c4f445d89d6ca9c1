"""The command `calibrate`: a gallery's own thresholds, measured on itself or on labelled data."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gallery.options import AsJson, BundlePath, Data, GalleryName

if TYPE_CHECKING:
    from gallery.calibration import Calibration
    from gallery.calibration_data import Material
    from gallery.library import Library
    from model.bundle import Bundle

LEFT_OUT_SHOWN = 5


def calibrate(
    name: GalleryName = "default",
    data: Data = Path("gaitkeeper-data"),
    bundle: BundlePath = None,
    from_gallery: Annotated[
        bool, typer.Option("--from-gallery", help="Leave each subject out in turn: what happens unless --labelled.")
    ] = False,
    labelled: Annotated[
        Path | None,
        typer.Option(
            "--labelled",
            metavar="FILE",
            help="Measure on other people: a manifest (CSV) or embeddings (npz).",
            dir_okay=False,
        ),
    ] = None,
    target_fpir: Annotated[
        float | None,
        typer.Option("--target-fpir", min=0, max=1, help="Rate to hold unless a request asks for another (0.05)."),
    ] = None,
    db: Annotated[float | None, typer.Option("--db", min=0, help="The same in dB, -10 log10: 20 dB is 1 %.")] = None,
    by: Annotated[
        list[str] | None, typer.Option("--by", metavar="LABEL", help="Errors at every value of a label; repeatable.")
    ] = None,
    session: Annotated[
        str | None,
        typer.Option("--session", metavar="LABEL", help="Label that says which are of one recording (session)."),
    ] = None,
    templates: Annotated[
        int | None,
        typer.Option("--templates", min=1, help="With --labelled: templates a subject (as the gallery has)."),
    ] = None,
    min_margin: Annotated[
        float, typer.Option("--min-margin", min=0, max=2, help="Abstain where the runner-up is nearer than this.")
    ] = 0.0,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="PNG", dir_okay=False, help="Draw histograms and trade-off.")
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Show the calibration the gallery has.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Take it away; the bundle's holds again.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure and show, keep nothing.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of what is drawn at random.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Measure which threshold lets how many strangers through, and keep it as this gallery's own calibration.

    The bundle's calibration was measured on other people before other cameras, and may be far off on yours. Without
    --labelled each subject is left out in turn: its templates are a stranger's searches of the others. A rate that too
    few people support is refused with how many are missing.

    Example: gaitkeeper calibrate --gallery staff --target-fpir 0.02 --by view --plot staff.png

    Example: gaitkeeper calibrate --gallery staff --labelled visitors.csv --db 17
    """
    from gallery.metrics import rate_of_decibels
    from gallery.opening import open_bundle_or_default, open_library

    if (from_gallery and labelled) or (show and forget) or (target_fpir is not None and db is not None):
        raise typer.BadParameter(
            "of --from-gallery and --labelled, of --show and --forget, of --target-fpir and --db: one"
        )
    rate = target_fpir if db is None else rate_of_decibels(db)
    opened = open_bundle_or_default(bundle)
    with open_library(data, opened) as library:
        prior = _prior(opened, library.gallery(name).fingerprint)
        if forget:
            _forget(library, name, as_json)
            return
        if show:
            _say(_own(library, name), name, prior, plot, as_json, kept=True)
            return
        found = _measured(
            library, name, opened, labelled, tuple(by or ()), session, templates, rate, min_margin, seed, as_json
        )
        if not dry_run:
            library.set_calibration(name, found)
        _say(found, name, prior, plot, as_json, kept=not dry_run)


def _prior(bundle: "Bundle", fingerprint: str) -> "Calibration | None":
    from gallery.calibration import Calibration

    content = bundle.calibration_json() if bundle.fingerprint == fingerprint else None
    return None if content is None else Calibration.from_json(content)


def _own(library: "Library", name: str) -> "Calibration":
    from gallery.calibration import Calibration
    from model.errors import InvalidRequest

    content = library.store.calibration(name)
    if content is None:
        raise InvalidRequest(
            "calibration", f"gallery {name!r} has none of its own; `gaitkeeper calibrate` measures one"
        )
    return Calibration.from_json(dict(content))


def _forget(library: "Library", name: str, as_json: bool) -> None:
    from gallery.printing import out, print_json

    had = library.store.calibration(name)
    library.set_calibration(name, None)
    if as_json:
        print_json({"gallery": name, "forgotten": None if had is None else had["id"]})
    else:
        out.print(
            f"gallery {name} had no calibration of its own" if had is None
            else f"forgot calibration {had['id']} of gallery {name}; the bundle's holds again",
            markup=False,
        )  # fmt: skip


def _measured(
    library: "Library", name: str, bundle: "Bundle", labelled: Path | None, by: tuple[str, ...], session: str | None,
    templates: int | None, rate: float | None, min_margin: float, seed: int, as_json: bool,
) -> "Calibration":  # fmt: skip
    from gallery.calibrate import SIZES, TARGET_FPIR
    from gallery.calibration_data import held_by, measure
    from gallery.calibration_progress import bar
    from model.errors import BundleMismatch

    held = library.gallery(name)
    if labelled is None:
        material = held_by(library, name, labels=[*by, *([session] if session else [])])
    else:
        material = _read(labelled, bundle)
        if material.fingerprint and material.fingerprint != held.fingerprint:
            raise BundleMismatch(name, held.fingerprint, material.fingerprint)
        templates = templates or max(1, round(held.templates / max(held.subjects, 1)))
    if not as_json:
        _say_left_out(material.left_out)
    with bar("measuring", len(SIZES) + 2) as done:
        found = measure(
            material, by=by, session=session, templates_per_subject=None if labelled is None else templates,
            best=library.best, target_fpir=TARGET_FPIR if rate is None else rate, min_margin=min_margin, seed=seed,
            progress=done,
        )  # fmt: skip
    if not as_json:
        _say_doubts(name, sessions=material.sessions(session) is not None, own=labelled is None)
    return found


def _say_left_out(left_out: tuple[str, ...]) -> None:
    from gallery.printing import err

    for line in left_out[:LEFT_OUT_SHOWN]:
        err.print(f"left out: {line}", markup=False, soft_wrap=True)
    if len(left_out) > LEFT_OUT_SHOWN:
        err.print(f"left out: {len(left_out)} files in all", markup=False)


def _say_doubts(name: str, *, sessions: bool, own: bool) -> None:
    """What may be wrong with what was measured on."""
    from gallery.printing import err

    if not sessions:
        line = "note: no label says which are of one recording (--session); where some are, too few mates are missed"
        err.print(line, markup=False, soft_wrap=True)
    if own:
        line = f"note: who is enrolled twice counts as a stranger let through; `gaitkeeper gallery doctor {name}` looks"
        err.print(line, markup=False, soft_wrap=True)


def _read(path: Path, bundle: "Bundle") -> "Material":
    from gallery.calibration_data import embed_entries, read_embeddings
    from gallery.calibration_progress import bar
    from gallery.manifest import read_manifest
    from gallery.opening import open_encoder

    if path.suffix.lower() == ".npz":
        return read_embeddings(path)
    entries = read_manifest(path)
    with bar("embedding", len(entries)) as done:
        return embed_entries(open_encoder(bundle), entries, path.name, each=done)


def _say(
    found: "Calibration", name: str, prior: "Calibration | None", plot: Path | None, as_json: bool, *, kept: bool
) -> None:
    from gallery.calibration_plot import plot_calibration
    from gallery.calibration_printing import conditions_table, lines, thresholds_table
    from gallery.printing import err, out, print_json

    if plot is not None:
        plot_calibration(found, f"made on {found.made_on}", plot)
        err.print(f"written to {plot}", markup=False)
    if as_json:
        print_json({"gallery": name, "kept": kept, "calibration": found.to_json()})
        return
    out.print(thresholds_table(found))
    conditions = conditions_table(found)
    if conditions is not None:
        out.print(conditions)
    for line in lines(found, prior):
        out.print(line, markup=False, soft_wrap=True)
    if not kept:
        out.print("nothing was kept (--dry-run)")
