"""A bundle's card: what the model is, what it learned from, what was measured, what it cannot do."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gallery.calibration import Calibration
from model.bundle import Manifest
from model.clips import ClipSpec
from training.ensemble import Ensemble
from training.run import Run
from training.sections import DataConfig

LIMITS = {
    "encoder": (
        "It compares how skeletons move and are built. It knows nothing of faces, and whoever walks or is built alike "
        "looks alike to it.",
        "Figures hold for data like that which they were measured on: other pose estimators, cameras, clothes, "
        "shoes, speeds and time between walks lower them. Measure on your own data, and calibrate there.",
        "Sequences of one person only; nothing here finds or follows people in a video.",
    ),
    "classifier": (
        "It knows its own classes only, and always names one of them, also when it sees something else.",
        "A class that few people were tested on, or the same that it learned from, may do worse on others.",
        "Figures hold for data like that which they were measured on; other cameras and pose estimators lower them.",
    ),
}


def card(
    manifest: Manifest,
    made: Ensemble,
    results: Sequence[Mapping[str, Any]],
    calibration: Calibration | None,
    difference: float,
    notes: str = "",
) -> str:
    """The text of CARD.md; results are what `gaitkeeper evaluate` wrote."""
    task = "encoder" if manifest.dim is not None else "classifier"
    parts = [
        f"# {manifest.name}",
        _what(manifest, task),
        notes.strip(),
        _streams(manifest),
        _training(made),
        "## Measured",
        *([_result(result) for result in results] or ["Nothing was measured on this model yet."]),
        _calibration(calibration) if calibration else "",
        f"ONNX Runtime and torch differ by at most {difference:.1e} on it.",
        "## Limits",
        "\n".join(f"- {line}" for line in LIMITS[task]),
        "Skeletons of people are biometric data where they serve to tell people apart: they need a lawful basis, "
        "a purpose, and a way to be erased.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _what(manifest: Manifest, task: str) -> str:
    gives = (
        f"unit vectors of {manifest.dim} numbers, compared by cosine"
        if task == "encoder"
        else f"a probability for each of {len(manifest.labels)} classes: {', '.join(manifest.labels)}"
    )
    return (
        f"A {'gait encoder' if task == 'encoder' else 'classifier of actions'}. It takes skeletons in the layout "
        f"{manifest.layout}, {manifest.clip.dims} coordinates and a confidence a joint, {_clips(manifest.clip)}, and "
        f"gives {gives}. {manifest.trained['parameters']:,} parameters."
    )


def _clips(clip: ClipSpec) -> str:
    people = f"of up to {clip.people} people at a time, " if clip.people > 1 else ""
    if clip.sampling == "uniform":
        return f"{people}{clip.clips} times {clip.frames} frames spread over the whole recording"
    return (
        f"{people}in windows of {clip.frames} frames at {clip.fps:g} a second (at least {clip.minimum} frames; "
        "shorter ones are reflected)"
    )


def _streams(manifest: Manifest) -> str:
    if not manifest.streams:
        return ""
    total = sum(member.weight for member in manifest.streams)
    rows = [
        (one.name, ", ".join(one.streams), f"{one.weight:g}", _share(one.weight / total)) for one in manifest.streams
    ]
    mean = "cosine" if manifest.dim is not None else "probability"
    return (
        f"{len(rows)} networks over the same clips, each trained by itself; what counts is the weighted mean of each "
        f"one's {mean}.\n\n" + _table(("network", "sees", "weight", "share"), rows)
    )


def _training(made: Ensemble) -> str:
    each = [_origin(run) for run in made.runs]
    if len(each) == 1:
        return "\n\n".join(("## Learned from", each[0]))
    parts = [
        f"### {member.name}: {', '.join(member.streams)}\n\n{text}"
        for member, text in zip(made.members, each, strict=True)
    ]
    return "\n\n".join(("## Learned from", *parts))


def _origin(run: Run) -> str:
    recipe, best = run.recipe, run.about.get("best") or {}
    learned = "people" if recipe.data.label == "subject" else "classes"
    lines = "\n".join(
        (
            f"- data: {_data(recipe.data)}",
            f"- told apart: {len(run.labels)} {learned}",
            f"- recipe: `{recipe.name}`, seed {recipe.seed} (in full in manifest.json)",
            f"- commit: `{run.about.get('commit')}`",
            f"- epochs: {recipe.optim.epochs}, the best was {best.get('epoch', -1) + 1}",
        )
    )
    if not (held_out := best.get("held_out")):
        return lines
    figures = ", ".join(f"{name} {value:.4f}" for name, value in held_out.items())
    if run.about.get("selected_on") == "test":
        return f"{lines}\n\nThe epoch was chosen on the test data, so figures on these are too good: {figures}."
    return f"{lines}\n\nOn those held out from training, by which the epoch was chosen: {figures}."


def _data(config: DataConfig) -> str:
    text = ", ".join(f"`{path.name}`" for path in config.paths)
    if config.split:
        text += f", split `{config.split}`"
    return text if config.limit is None else f"{text}; a smaller dose: at most {config.limit} recordings of it"


def _result(result: Mapping[str, Any]) -> str:
    data = result.get("data") or {}
    simulated = ", simulated" if data.get("simulated") else ""
    head = f"### {data.get('name', 'unnamed data')}{simulated}: {result.get('protocol', result.get('kind', ''))}"
    match result.get("kind"):
        case "gait":
            body = _gait(result)
        case "reid":
            body = _reid(result)
        case "actions":
            body = _actions(result)
        case _:
            figures = ((key, value) for key, value in result.items() if isinstance(value, int | float))
            body = [_table(("figure", "value"), [(key, f"{value:g}") for key, value in figures])]
    made = f"`{result['command']}`, {result.get('date', '')}" if "command" in result else ""
    return "\n\n".join(part for part in (head, *body, made) if part)


def _gait(result: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            table["name"],
            _share(table["rank1"]),
            " to ".join(_share(end) for end in table.get("interval_95") or ()),
            _share(table.get("rank5")),
            table.get("people_probing"),
            table.get("probes"),
        )
        for table in result.get("tables", ())
    ]
    parts = [
        f"{result.get('people')} people. Rank-1 over pairs of different views, 95 % interval over people.",
        _table(("probes", "rank-1", "95 %", "rank-5", "people", "sequences"), rows),
    ]
    if result.get("mean_rank1") is not None:
        parts.append(f"Mean rank-1: {_share(result['mean_rank1'])}.")
    if simple := result.get("simple_features_rank1"):
        kinds = "; ".join(
            f"{kind}: " + ", ".join(f"{table} {_share(value)}" for table, value in scores.items())
            for kind, scores in simple.items()
        )
        parts.append(f"The same with hand-made features instead of the encoder: {kinds}.")
    return parts


def _reid(result: Mapping[str, Any]) -> list[str]:
    rows = [
        (
            f"{one['setting']}, {one['variant']}",
            _share(one["rank1"]),
            " to ".join(_share(end) for end in one.get("rank1_interval_95") or ()),
            *(_share(one.get(figure)) for figure in ("rank5", "rank10", "map", "minp")),
            one.get("probes"),
        )
        for one in result.get("settings", ())
    ]
    return [
        f"{result.get('people')} people, windows of {result.get('frames')} frames. Published: a probe may find all but "
        "itself; strict: nothing of its own view. 95 % interval over people.",
        _table(("setting", "rank-1", "95 %", "rank-5", "rank-10", "mAP", "mINP", "probes"), rows),
    ]


def _actions(result: Mapping[str, Any]) -> list[str]:
    rows = [
        (label, _share(one["accuracy"]), one["sequences"], one["people"])
        for label, one in result.get("classes", {}).items()
    ]
    alone = [label for label, one in result.get("classes", {}).items() if 0 < one["people"] < 2]
    parts = [
        f"{result.get('people')} people, {result.get('sequences')} sequences. Accuracy {_share(result['accuracy'])}, "
        f"mean over classes {_share(result.get('mean_class_accuracy'))}.",
        _table(("class", "accuracy", "sequences", "people"), rows),
    ]
    if alone:
        parts.append(f"Tested on fewer than two people, so that little is known about them: {', '.join(alone)}.")
    return parts


def _calibration(calibration: Calibration) -> str:
    rows = [(row.subjects, f"{row.fpir:g}", f"{row.threshold:.3f}", _share(row.fnir)) for row in calibration.table]
    return (
        f"### Thresholds\n\nMeasured on {calibration.made_on} ({calibration.subjects} people); a gallery's own "
        "calibration wins over them.\n\n"
        + _table(("subjects in the gallery", "strangers let through", "threshold", "mates missed"), rows)
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "/") for cell in line) + " |" for line in lines)


def _share(value: float | None) -> str:
    return "not measured" if value is None else f"{100 * value:.1f} %"
