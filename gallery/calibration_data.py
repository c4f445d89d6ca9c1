"""What a calibration is measured on: a gallery's own templates, embeddings of a file, or the files of a manifest."""

import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from gallery.calibrate import TARGET_FPIR, Progress, calibrate
from gallery.calibration import Calibration
from gallery.enroll import make_ready
from gallery.library import Library
from gallery.manifest import Entry
from gallery.metrics import Names
from gallery.opening import read_track
from model.clips import unit_length
from model.errors import EmptyGallery, GaitkeeperError, InvalidDataSet, UnreadableFile
from model.inference import embed
from model.runtime import Encoder
from model.sequence import Floats

SESSION = "session"
PAGE = 1000
BATCH = 32
FILE_BYTES = 16 * 1024**3
UNIT_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Embeddings (n, dim) of unit length, whose each is (n,), and labels: columns (n,), "" where there is no value.

    fingerprint: of the bundle that made them, "" if that is not known. left_out: what could not be used, and why.
    """

    embeddings: Floats
    subjects: Names
    labels: Mapping[str, Names] = field(default_factory=dict)
    made_on: str = ""
    fingerprint: str = ""
    left_out: tuple[str, ...] = ()

    def sessions(self, label: str | None = None) -> Names | None:
        """Which are of one recording, by a label; None where nothing says so. A template without one is by itself.

        Raises `InvalidDataSet` for a label that nothing has.
        """
        if label is None and not self._has(SESSION):
            return None
        if label is not None and not self._has(label):
            raise InvalidDataSet(self.made_on, f"nothing has a label {label!r} that could name sessions")
        values = self.labels[label or SESSION].astype(object)
        alone = values == ""
        values[alone] = [f"\0{i}" for i in np.flatnonzero(alone)]
        return np.char.add(np.char.add(self.subjects.astype(str), "\0"), values.astype(str))

    def _has(self, label: str) -> bool:
        return label in self.labels and bool((self.labels[label] != "").any())


def measure(
    material: Material,
    *,
    by: Sequence[str] = (),
    session: str | None = None,
    templates_per_subject: int | None = None,
    best: int = 1,
    target_fpir: float = TARGET_FPIR,
    min_margin: float = 0.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Calibration:
    """A calibration measured on this material. by: labels whose every value gets a curve of its own; session: the
    label that says which templates are of one recording (default `session`, where there is one).

    Raises `InvalidDataSet` for labels that are not there, and what `calibrate` raises.
    """
    for label in by:
        if label not in material.labels:
            known = ", ".join(sorted(material.labels)) or "none"
            raise InvalidDataSet(material.made_on, f"has no label {label!r}; its labels are {known}")
    return calibrate(
        material.embeddings,
        material.subjects,
        sessions=material.sessions(session),
        labels={label: material.labels[label] for label in by},
        made_on=material.made_on,
        templates_per_subject=templates_per_subject,
        best=best,
        target_fpir=target_fpir,
        min_margin=min_margin,
        seed=seed,
        progress=progress,
    )


def calibrate_gallery(
    library: Library,
    gallery: str,
    *,
    by: Sequence[str] = (),
    session: str | None = None,
    target_fpir: float = TARGET_FPIR,
    min_margin: float = 0.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Calibration:
    """A calibration of a gallery on itself, which is not kept yet (`Library.set_calibration` does).

    Each subject is left out in turn: its templates are a stranger's searches of the others, and a mate's of its own
    templates of other sessions. Raises `UnknownGallery`, `EmptyGallery`, and what `measure` raises.
    """
    material = held_by(library, gallery, labels=[*by, *([session] if session else [])])
    return measure(
        material, by=by, session=session, best=library.best, target_fpir=target_fpir, min_margin=min_margin,
        seed=seed, progress=progress,
    )  # fmt: skip


def held_by(library: Library, gallery: str, *, labels: Sequence[str] = ()) -> Material:
    """The templates of a gallery, without those of subjects who have expired.

    labels: read for every template, which takes a query a subject; so is `session` where one of the first has it.
    Raises `UnknownGallery`, `EmptyGallery`.
    """
    head, rows = library.store.everything(gallery)
    valid = rows.expires > datetime.now(UTC).timestamp() * 1e6
    if not valid.any():
        raise EmptyGallery(gallery)
    first = library.subjects(gallery, limit=5)
    seen = {key for one in first for template in library.templates_of(gallery, one.id) for key in template.labels}
    wanted = {*labels, *({SESSION} & seen)}
    columns = _labels(library, gallery, rows.ids[valid], wanted) if wanted else {}
    people = len(np.unique(rows.subjects[valid]))
    return Material(
        rows.embeddings[valid],
        rows.subjects[valid].astype(str),
        columns,
        f"gallery {gallery} itself, {people} subjects left out in turn",
        head.fingerprint,
    )


def _labels(library: Library, gallery: str, ids: Names, wanted: Iterable[str]) -> dict[str, Names]:
    place = {template: i for i, template in enumerate(ids.tolist())}
    found = {label: np.full(len(ids), "", dtype=object) for label in wanted}
    after = ""
    while page := library.subjects(gallery, after=after, limit=PAGE):
        for subject in page:
            for template in library.templates_of(gallery, subject.id):
                if template.id in place:
                    for label, values in found.items():
                        values[place[template.id]] = template.labels.get(label, "")
        after = page[-1].id
    return found


def read_embeddings(path: Path) -> Material:
    """From an npz file: `embeddings` (n, dim) of unit length, `subject` (n,), perhaps `fingerprint` of their bundle;
    every other array of n is a label. Raises `UnreadableFile`, `InvalidDataSet`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > FILE_BYTES:
                raise UnreadableFile(str(path), f"larger than {FILE_BYTES} bytes")
        with np.load(path, allow_pickle=False) as arrays:
            content = {name: arrays[name] for name in arrays.files}
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise UnreadableFile(str(path), "is not an npz file without pickled objects") from error
    except OSError as error:
        raise UnreadableFile(str(path), error.strerror or str(error)) from error
    if not {"embeddings", "subject"} <= set(content):
        raise InvalidDataSet(str(path), "must hold embeddings and subject")
    embeddings, subjects = content.pop("embeddings"), content.pop("subject")
    _check(path, embeddings, subjects)
    fingerprint = str(content.pop("fingerprint", ""))
    labels = {name: values.astype(str) for name, values in content.items() if values.shape == subjects.shape}
    return Material(unit_length(embeddings.astype(np.float32)), subjects.astype(str), labels, path.name, fingerprint)


def _check(path: Path, embeddings: Floats, subjects: Names) -> None:
    if embeddings.ndim != 2 or embeddings.dtype.kind != "f" or subjects.shape != (len(embeddings),):
        shapes = f"{embeddings.dtype} {embeddings.shape} and {subjects.shape}"
        raise InvalidDataSet(str(path), f"embeddings must be floats (n, dim) and subject (n,), got {shapes}")
    lengths = np.sqrt((embeddings.astype(np.float64) ** 2).sum(axis=1))
    if not (np.abs(lengths - 1) <= UNIT_TOLERANCE).all():
        raise InvalidDataSet(str(path), "embeddings must be finite and of unit length")


def embed_entries(
    encoder: Encoder, entries: Sequence[Entry], made_on: str, *, each: Callable[[int], object] | None = None
) -> Material:
    """The files of a manifest as the gallery would have them; those that cannot be used are left out.

    each: called with the number of files done since the last call. Raises `InvalidDataSet` where none is left.
    """
    made: list[Floats] = []
    kept: list[Entry] = []
    left_out: list[str] = []
    for start in range(0, len(entries), BATCH):
        batch = entries[start : start + BATCH]
        ready = []
        for entry in batch:
            try:
                track, _ = read_track(entry.file, entry.track, fps=entry.fps, aspect=entry.aspect, layout=entry.layout)
                ready.append(make_ready(track.sequence, encoder).sequence)
                kept.append(entry)
            except (GaitkeeperError, OSError) as error:
                left_out.append(f"line {entry.line}, {entry.file.name}: {error}")
        if ready:
            made.append(embed(encoder, ready))
        if each is not None:
            each(len(batch))
    if not kept:
        raise InvalidDataSet(made_on, f"no file of it can be used ({left_out[0] if left_out else 'it names none'})")
    names = sorted({label for entry in kept for label in entry.labels})
    labels = {name: np.array([entry.labels.get(name, "") for entry in kept], dtype=object) for name in names}
    subjects = np.array([entry.subject for entry in kept])
    return Material(np.concatenate(made), subjects, labels, made_on, encoder.fingerprint, tuple(left_out))
