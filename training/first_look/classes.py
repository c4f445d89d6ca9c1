"""What the labels say: whether there is something to tell apart, and whether they are what the recipe thinks."""

import re
from collections.abc import Iterator

import numpy as np

from training.first_look.batch import Batch, some

_VIEWS = re.compile(r"(\d{3}|c(am(era)?)?[_-]?\d{1,2}|view[_-]?\d+|front|back|side|left|right)", re.IGNORECASE)
_CONDITIONS = re.compile(r"(nm|bg|cl|normal|bag|coat|clothes)([_-]?\d{1,2})?", re.IGNORECASE)
_PEOPLE = re.compile(r"(s|p|sub|subj|subject|person|id|actor|performer)[_-]?\d{1,5}", re.IGNORECASE)
_ACTIONS = re.compile(r"(a|act|action|activity|gesture)[_-]?\d{1,4}", re.IGNORECASE)
_FEW = 2


def nothing_to_learn(batch: Batch) -> Iterator[str]:
    """One class, or labels outside of the classes."""
    count = len(batch.names)
    if count < 2:
        only = f"{batch.names[0]!r} alone" if count else "none"
        yield f"classes: {only}; there is nothing to tell apart: look at data.label, data.keep and the file's labels"
        return
    low, high = int(batch.labels.min()), int(batch.labels.max())
    if low < 0 or high >= count:
        yield f"labels go from {low} to {high}, but there are {count} classes, 0 to {count - 1}"


def names(batch: Batch) -> Iterator[str]:
    """Class names that look like another label than the one that is to be learned."""
    by_action = batch.recipe.data.label == "action"
    told = f'data.label is "{batch.recipe.data.label}", but the {len(batch.names)} classes look like'
    examples = f"({some(batch.names, 3)})"
    if by_action and _all(batch.names, _PEOPLE):
        yield f"{told} people {examples}; the wrong column may have been taken"
    elif not by_action and _all(batch.names, _ACTIONS):
        yield f"{told} actions {examples}; the wrong column may have been taken"
    elif _all(batch.names, _CONDITIONS):
        yield f"{told} conditions {examples}; the wrong column may have been taken"
    elif _all(batch.names, _VIEWS) and _are_views(batch.names):
        yield f"{told} views {examples}; the wrong column may have been taken"


def _all(class_names: tuple[str, ...], pattern: re.Pattern[str]) -> bool:
    return all(pattern.fullmatch(name) for name in class_names)


def _are_views(class_names: tuple[str, ...]) -> bool:
    """Numbers that are no numbering: degrees, as 000, 018, ..., 180."""
    numbers = [int(name) for name in class_names if name.isdigit()]
    if len(numbers) < len(class_names):
        return not numbers
    steps = np.diff(numbers)
    return len(steps) > 0 and int(steps.min()) >= 15 and max(numbers) <= 360


def rows(batch: Batch) -> Iterator[str]:
    """Classes without recordings or with a single one; every recording a class of its own."""
    if batch.counts is None:
        return
    counts = batch.counts
    empty = [batch.name(int(i)) for i in np.flatnonzero(counts == 0)]
    if empty:
        yield (
            f"{len(empty)} of {len(counts)} classes have no recording to train on ({some(empty)}); "
            "they are never recognised: look at data.keep, data.split and what is held out"
        )
    single = [batch.name(int(i)) for i in np.flatnonzero(counts == 1)]
    if len(single) == len(counts):
        yield "every class has one recording: the label may be the number of a recording, and nothing is learned of it"
    elif single:
        yield f"{len(single)} of {len(counts)} classes have a single recording ({some(single)}): what varies is unknown"
    most, least = int(counts.max()), int(counts[counts > 0].min())
    if not single and most > 20 * least and batch.recipe.sampler.kind == "plain":
        yield f'classes have from {least} to {most} recordings; sampler.kind = "pk" draws them evenly'


def contrast(batch: Batch) -> Iterator[str]:
    """What the contrastive losses would find in such batches."""
    loss, present = batch.recipe.loss, np.unique(batch.labels)
    if len(present) == 1:
        yield (
            f"the first batch holds the class {batch.name(int(present[0]))!r} only, so that nothing contrasts; "
            'sampler.kind = "pk" mixes classes, "plain" shuffles'
        )
    elif loss.intra.enabled and len(present) == len(batch.labels) and loss.intra.bank <= 2 * len(batch.labels):
        yield (
            "no class comes twice in the first batch, so that loss.intra has no positives but in its memory of "
            f"{loss.intra.bank}; draw several of each (sampler.per_class) or enlarge loss.intra.bank"
        )
    if loss.inter.enabled and len(batch.names) <= loss.inter.neighbours:
        yield (
            f"{len(batch.names)} classes with loss.inter.neighbours = {loss.inter.neighbours}: every class that is "
            "ever confused joins the family; fewer neighbours than classes tell them apart"
        )
