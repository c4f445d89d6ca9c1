"""Trains what chooses rows, and finds out how hard it has to look for the answers to be right."""

import logging
import math
from dataclasses import replace

import numpy as np

from gallery.index.device import gpu_rows
from gallery.index.effort import Effort
from gallery.index.lists import Lists
from gallery.index.quantiser import Codes, Quantiser, sample_size, train
from gallery.index.view import Base, View
from model.sequence import Floats

log = logging.getLogger(__name__)

LEAST_ROWS = 256
LEAST_LISTS = 8
# From the least on; on a million embeddings of the shipped encoder the first one suffices.
EFFORTS = (Effort(800, 3 / 16), Effort(1600, 3 / 8), Effort(3200, 3 / 4), Effort(6400, 1.0))
# On the gallery's own rows, each compared with the others.
TRIALS = 256
# Fewer codes take hardly less time, and tell less.
LEAST_CODES = 131_072
NEIGHBOURS = 10
RIGHT_AT_ONE = 1.0
RIGHT_AT_TEN = 0.99
ROUNDING = 1e-6


def trained(base: Base) -> Base:
    """The base with a chooser for these rows; without one, and a warning, if none finds the right rows."""
    base = replace(base, parts=base.parts.plain())
    if (gpu := gpu_rows(base.parts)) is not None:
        return replace(base, quantiser=None, codes=None, chooser=gpu, effort=gpu.effort, trained=base.parts.count)
    lists = lists_for(base.parts.count)
    size = min(base.parts.count, sample_size(lists))
    slots = np.sort(np.random.default_rng(0).choice(base.parts.count, size, replace=False))
    quantiser = train(np.asarray(base.parts.gathered(slots), np.float32), lists)
    made = listed(replace(base, quantiser=quantiser, codes=_coded(base, quantiser), trained=base.parts.count))
    effort = _measured(made)
    if effort is not None:
        return replace(made, effort=effort)
    log.warning("an index of %d rows finds too few of the right ones through lists; it compares all", base.parts.count)
    return replace(base, quantiser=None, codes=None, chooser=None, trained=base.parts.count)


def listed(base: Base) -> Base:
    """The base with a chooser for all of its rows, if it was trained."""
    if (gpu := gpu_rows(base.parts) if base.chooser is not None and base.quantiser is None else None) is not None:
        return replace(base, chooser=gpu)
    if base.quantiser is None or base.codes is None:
        return replace(base, chooser=None)
    return replace(base, chooser=Lists(base.quantiser, base.codes))


def lists_for(rows: int) -> int:
    """The power of two that is nearest to the root.

    >>> lists_for(1_000_000), lists_for(100_000)
    (1024, 256)
    """
    return int(max(LEAST_LISTS, 2 ** round(math.log2(math.sqrt(rows)))))


def _coded(base: Base, quantiser: Quantiser) -> Codes:
    made = [quantiser.coded(rows) for _, rows in base.parts.blocks()]
    return Codes(np.concatenate([part.lists for part in made]), np.concatenate([part.codes for part in made]))


def _measured(base: Base) -> Effort | None:
    """The least effort that finds the neighbours of the base's own rows."""
    slots = np.unique(np.random.default_rng(1).integers(0, base.parts.count, TRIALS))
    probes = np.asarray(base.parts.gathered(slots), np.float32)
    exact = View.of(base).scan(probes, NEIGHBOURS + 1)[0][:, 1:]  # without itself
    for least in EFFORTS:
        effort = replace(least, share=min(1.0, max(least.share, LEAST_CODES / base.parts.count)))
        found = View.of(replace(base, effort=effort)).search(probes, NEIGHBOURS + 1)[0][:, 1:]
        one, ten = right(found[:, :1], exact[:, :1]), right(found, exact)
        if one >= RIGHT_AT_ONE and ten >= RIGHT_AT_TEN:
            return effort
    return None


def right(found: Floats, exact: Floats) -> float:
    """The share of the exact best (q, k), by their scores, that were found; whichever of equal ones counts."""
    if not exact.size:
        return 1.0
    return float((found >= exact[:, -1:] - ROUNDING).mean())
