"""Labelled sequences to the calibration that a bundle carries as its maker's prior."""

from collections.abc import Sequence

import numpy as np

from gallery.calibrate import SIZES, TARGET_FPIR, calibrate
from gallery.calibration import Calibration
from model.errors import InvalidDataSet
from model.runtime import Encoder
from training.data.arrays import SequenceSet
from training.evaluate.embedding import LeftOut, Progress, embed_set


def calibrate_on(
    encoder: Encoder,
    data: SequenceSet,
    *,
    made_on: str,
    templates_per_subject: int = 1,
    sizes: Sequence[int] = SIZES,
    target_fpir: float = TARGET_FPIR,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[Calibration, tuple[LeftOut, ...]]:
    """The calibration measured on the set, and the sequences that could not be embedded.

    What several cameras saw of one walk is one search. Raises `InvalidDataSet` where too few people are left.
    """
    if (data.subject == "").any():
        raise InvalidDataSet(data.name, "some sequences have no subject")
    embedded = embed_set(encoder, data, np.arange(len(data)), progress=progress)
    kept = np.flatnonzero(embedded.usable)
    walks = [f"{data.subject[i]}|{data.part[i]}|{data.sequence_name[i]}" for i in kept]
    calibration = calibrate(
        embedded.embeddings[kept],
        data.subject[kept],
        sessions=walks,
        made_on=made_on,
        templates_per_subject=templates_per_subject,
        sizes=sizes,
        target_fpir=target_fpir,
        seed=seed,
    )
    return calibration, embedded.left_out
