"""Clips of one sequence as one probe: the mean of their embeddings, as it is served, or of their scores."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gallery.metrics import Numbers, Reals
from gallery.trials import Labelled, Trials
from model.clips import batch_clips
from model.runtime import Encoder
from model.sequence import Floats
from training.data.arrays import SequenceSet
from training.evaluate.embedding import BATCH, LeftOut, Progress, prepared
from training.evaluate.score_ways import Searched


@dataclass(frozen=True, eq=False)
class Clips:
    """embeddings: (clips, dim) of unit length; owner: (clips,) row of the sequence each is of, rising."""

    embeddings: Floats
    owner: Numbers


def embed_clips(encoder: Encoder, data: SequenceSet, rows: Numbers, *, progress: Progress | None = None) -> Clips:
    """The clips of the sequences `rows` of the set, all of them usable; owners count from 0 in the order of `rows`."""
    made: list[Floats] = []
    owners: list[Numbers] = []
    for start in range(0, len(rows), BATCH):
        ready = [prepared(encoder, data, int(i)) for i in rows[start : start + BATCH]]
        usable = [one for one in ready if not isinstance(one, LeftOut)]
        assert len(usable) == len(ready), "only sequences that were embedded have clips"
        batch = batch_clips(usable, encoder.clip, encoder.layout)
        made.append(encoder.embed_clips(batch.clips))
        owners.append(batch.owner.astype(np.int64) + start)
        if progress:
            progress(len(ready))
    return Clips(np.concatenate(made), np.concatenate(owners))


def clip_scores(data: Labelled, clips: Clips, templates: Numbers, probes: Numbers) -> Iterator[tuple[str, Searched]]:
    """Probes of several clips each, searched in templates made of whole sequences."""
    whole = Trials.of(data, templates, probes)
    yield "mean of embeddings", Searched.of(whole.others, whole.own, whole.subject)
    chosen = np.flatnonzero(np.isin(clips.owner, probes))
    owner = clips.owner[chosen]
    both = Labelled(
        np.concatenate([data.embeddings, clips.embeddings[chosen]]),
        np.concatenate([data.subject, data.subject[owner]]),
        np.concatenate([data.session, data.session[owner]]),
        data.people,
    )
    each = Trials.of(both, templates, np.arange(len(chosen)) + len(data.subject))
    starts = np.searchsorted(owner, probes)
    counts = np.diff([*starts, len(owner)])
    yield "mean of scores", _joined(each, np.add, starts, counts, whole.subject)
    yield "best of scores", _joined(each, np.maximum, starts, np.ones_like(counts), whole.subject)
    first = starts
    yield "one clip", Searched.of(each.others[first], each.own[first], whole.subject)


def _joined(each: Trials, how: np.ufunc, starts: Numbers, counts: Numbers, subject: Numbers) -> Searched:
    others = (how.reduceat(each.others, starts, axis=0) / counts[:, None]).astype(np.float32)
    own: Reals = how.reduceat(each.own, starts) / counts
    return Searched.of(others, own, subject)
