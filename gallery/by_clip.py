"""How each clip of a sequence alone compares with some subjects: for looking at an answer, not for deciding it."""

from collections.abc import Sequence

import numpy as np

from gallery.library import Library
from model.errors import UnknownSubject
from model.sequence import Floats


def scores_by_clip(
    library: Library, gallery: str, subjects: Sequence[str], clips: Floats, *, fingerprint: str
) -> tuple[list[str], Floats]:
    """Those of `subjects` who are still there, and the scores (clips, those subjects) of `clips` (clips, dim), unit
    vectors: each the mean of the library's `best` highest over the subject's templates.

    Raises `UnknownGallery`, `BundleMismatch`, `StoreUnavailable`.
    """
    head = library.head(gallery, fingerprint)
    hidden = library.views.hidden(head, clips)
    there, columns = [], []
    for subject in subjects:
        try:
            held = [template.embedding for template in library.templates_of(gallery, subject)]
        except UnknownSubject:  # erased just now
            continue
        if held:
            there.append(subject)
            columns.append(_best(hidden, np.stack(held), library.best))
    found: Floats = np.array(columns, np.float32).reshape(len(there), len(clips)).T
    return there, found


def _best(clips: Floats, templates: Floats, best: int) -> Floats:
    highest = np.sort(clips @ templates.T, axis=1)[:, -best:]
    return np.asarray(highest.mean(axis=1).clip(-1, 1), np.float32)
