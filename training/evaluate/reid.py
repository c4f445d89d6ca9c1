"""Re-identification of windows by TranSG's five settings, as published and strictly, through what is served.

Encoder, preparation and index are those of a gallery. Two things are ours: scores are cosines of embeddings of unit
length, which rank as their Euclidean distances do; and no window is dropped, where TranSG leaves out what does not
fill a batch of 256.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import nan
from typing import TypeAlias

import numpy as np

from gallery.index import FlatIndex
from gallery.metrics import NO_MATE, Interval, Numbers, Reals, bootstrap, cmc
from model.errors import InvalidDataSet
from model.runtime import Encoder
from model.sequence import Floats
from training.data.arrays import SequenceSet, Strings
from training.evaluate.embedding import LeftOut, Progress, embed_set
from training.evaluate.reid_metrics import (
    average_precision,
    average_precision_with_itself,
    best_first,
    first_rank,
    found_in,
    inverse_negative_penalty,
    mean_of,
)
from training.evaluate.reid_source import Windows
from training.protocols.cells import Integers, Mask
from training.protocols.reid import SETTINGS, Setting, Variant, allowed, knows_views, videos

DRAWS = 1000
LONGEST_LIST = 50
"""Ranks that the CMC is drawn to."""
_BLOCK = 256
FIGURES = ("rank1", "rank5", "rank10", "map", "minp")


@dataclass(frozen=True, eq=False)
class Searches:
    """One setting in one variant: a probe each row.

    first: (probes,) rank of the best mate, 0 where it has none. ap, inp: (probes,) average precision and inverse
    negative penalty, NaN where it has none. same_video: share of probes whose best window is of their own video;
    NaN where the data do not tell. map_as_published: with TranSG's slip, where it has one, else the true mAP.
    """

    setting: Setting
    variant: Variant
    subject: Strings
    first: Numbers
    ap: Reals
    inp: Reals
    gallery: int
    same_video: float
    map_as_published: float

    @property
    def people(self) -> int:
        return len(np.unique(self.subject))

    @property
    def without_mate(self) -> int:
        """Probes of which the gallery holds nothing that they may find: no figure counts them."""
        return int((self.first == NO_MATE).sum())

    @cached_property
    def cmc(self) -> Reals:
        """Share of probes with a mate among the first 1, 2, ... windows."""
        return cmc(self.first, min(LONGEST_LIST, max(self.gallery, 10)))

    def values(self, figure: str) -> Reals:
        """A figure (one of `FIGURES`) of each probe, NaN where it has no mate."""
        match figure:
            case "map":
                return self.ap
            case "minp":
                return self.inp
            case _:
                hit = self.first <= int(figure.removeprefix("rank"))
                return np.where(self.first == NO_MATE, nan, hit)

    def figure(self, figure: str) -> float:
        return mean_of(self.values(figure))

    def interval(self, figure: str, draws: int = DRAWS) -> Interval:
        """The figure and its 95 % interval, by drawing the people among the probes again; NaN without probes."""
        values = self.values(figure)
        there = ~np.isnan(values)
        if not there.any():
            return Interval(nan, nan, nan)
        names, owner = np.unique(self.subject[there], return_inverse=True)
        total, count = np.bincount(owner, weights=values[there]), np.bincount(owner)
        return bootstrap(lambda drawn: float(total[drawn].sum() / count[drawn].sum()), names, draws=draws)


@dataclass(frozen=True, eq=False)
class ReidResult:
    """searches: setting by setting, published before strict. intervals: of each, by figure. left_out: windows that
    could not be embedded, which are neither searched nor found. strict: whether the data tell the views apart.
    """

    windows: Windows
    searches: tuple[Searches, ...]
    intervals: tuple[Mapping[str, Interval], ...]
    left_out: tuple[LeftOut, ...]
    strict: bool

    @property
    def people(self) -> int:
        return len(np.unique(np.concatenate([one.subject for one in self.searches])))

    def name_of(self, i: int) -> str:
        """A window by its labels and its place among the windows of its video, as "075-nm-01-090#2"."""
        d = self.windows.data
        same = np.all([d.labels(label)[: i + 1] == d.labels(label)[i] for label in _NAMES], axis=0)
        name = "-".join(str(d.labels(label)[i]) for label in _NAMES if d.labels(label)[i])
        return f"{name}#{int(same.sum())}"


_NAMES = ("subject", "part", "sequence", "view")


def evaluate_reid(
    encoder: Encoder, windows: Windows, *, progress: Progress | None = None, draws: int = DRAWS
) -> ReidResult:
    """Embed every window, search it in the five settings by both variants.

    progress: is told of every window when it is embedded, and of the probes of each setting when they are searched:
    `steps` in all. Raises `LayoutMismatch` if the encoder cannot take the
    data, `InvalidDataSet` if it can take no window of it.
    """
    data = windows.data
    embedded = embed_set(encoder, data, np.arange(len(data)), progress=progress)
    if not embedded.usable.any():
        first = embedded.left_out[0]
        raise InvalidDataSet(data.name, f"no window can be embedded ({', '.join(first.reasons)}: {first.detail})")
    strict = knows_views(data)
    variants = tuple(Variant) if strict else (Variant.PUBLISHED,)
    searches = tuple(
        one
        for setting in SETTINGS
        for one in search(
            embedded.embeddings, np.flatnonzero(embedded.usable), data, setting, variants, progress=progress
        )
    )
    intervals = tuple({figure: one.interval(figure, draws) for figure in FIGURES} for one in searches)
    return ReidResult(windows, searches, intervals, embedded.left_out, strict)


def steps(data: SequenceSet) -> int:
    """What `evaluate_reid` tells of at most."""
    return len(data) + sum(len(setting.probes(data)) for setting in SETTINGS)


def search(
    embeddings: Floats,
    usable: Integers,
    data: SequenceSet,
    setting: Setting,
    variants: tuple[Variant, ...] = tuple(Variant),
    *,
    progress: Progress | None = None,
) -> Iterator[Searches]:
    """The setting's probes in its gallery, once for all variants; none where either is empty.

    embeddings: (windows, dim) of unit length; usable: indices of those that have one.
    """
    probes = np.intersect1d(setting.probes(data), usable)
    gallery = np.intersect1d(setting.searched(data), usable)
    if not len(probes) or not len(gallery):
        return
    index = FlatIndex(embeddings.shape[1])
    index.add(embeddings[gallery], gallery)
    subject, video = _codes(data.subject), _codes(videos(data))
    parts: dict[Variant, list[_Part]] = {variant: [] for variant in variants}
    for start in range(0, len(probes), _BLOCK):
        block = probes[start : start + _BLOCK]
        scores, ids = index.search(embeddings[block], len(gallery))
        mates, same_video = (codes[ids] == codes[block][:, None] for codes in (subject, video))
        order = best_first(scores, mates)
        for variant in variants:
            parts[variant].append(_part(order, mates, allowed(data, block, ids, variant), same_video))
        if progress:
            progress(len(block))
    known = bool((videos(data)[gallery] != "").all())
    for variant in variants:
        yield _joined(parts[variant], setting, variant, data.subject[probes], len(gallery), known=known)


_Part: TypeAlias = tuple[Numbers, Reals, Reals, Reals, Reals]
"""Of some probes: rank of the best mate, AP, INP, AP with the probe itself, whether the best is of the same video."""


def _part(order: Numbers, mates: Mask, may: Mask, same_video: Mask) -> _Part:
    found = found_in(order, mates, may)
    row = np.arange(len(order))
    best = order[row, np.take_along_axis(may, order, axis=1).argmax(axis=1)]
    return (
        first_rank(found),
        average_precision(found),
        inverse_negative_penalty(found),
        average_precision_with_itself(found),
        (same_video & may)[row, best].astype(np.float64),
    )


def _joined(
    parts: list[_Part], setting: Setting, variant: Variant, subject: Strings, gallery: int, *, known: bool
) -> Searches:
    first, ap, inp, with_itself, same_video = (np.concatenate(part) for part in zip(*parts, strict=True))
    slip = setting.probe == setting.gallery and variant is Variant.PUBLISHED
    return Searches(
        setting, variant, subject, first.astype(np.int64), ap, inp, gallery,
        same_video=float(same_video.mean()) if known else nan,
        map_as_published=mean_of(with_itself[1:]) if slip else mean_of(ap),
    )  # fmt: skip


def _codes(names: Strings) -> Numbers:
    """Equal numbers (n,) for equal names: quicker to compare."""
    return np.unique(names, return_inverse=True)[1].astype(np.int64)
