"""The paper's formulas once more, in NumPy and plain loops, float64: what the vectorised losses must equal."""

import numpy as np


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def neighbours(confusion, k):  # Eq. 3
    rows = []
    for i, row in enumerate(confusion):
        others = [j for j in np.argsort(-row, kind="stable") if j != i and row[j] > 0]
        rows.append(set(others[:k]))
    return rows


def similarity(confusion, k, parts="both"):  # Eq. 5
    near = neighbours(confusion, k)
    w = np.zeros(confusion.shape)
    for i, mine in enumerate(near):
        for j, theirs in enumerate(near):
            if parts in ("pairwise", "both"):
                w[i, j] += 0.5 * (j in mine)
            if parts in ("contextual", "both") and mine:
                w[i, j] += len(mine & theirs) / len(mine)
    return w


def family(confusion, k, overlap, parts="both"):  # Eq. 6
    member = similarity(confusion, k, parts) > overlap / k + 1e-9
    np.fill_diagonal(member, False)
    return member


def temperature(size, k):  # Eq. 9
    return 0.1 if size <= k else 0.5 if size <= 2 * k else 1.0


def official_weights(near, k, overlap):
    """The published code's affinity of a list of neighbour sets: the gate is on the overlap, not on the sum."""
    weights = np.zeros((len(near), len(near)))
    for i, mine in enumerate(near):
        for j, theirs in enumerate(near):
            weights[i, j] = 0.5 * (j in mine)
            if i != j and len(mine & theirs) > overlap:
                weights[i, j] += len(mine & theirs) / k
    return weights


def confusion(labels, predictions, classes, counting):  # H above Eq. 3
    counts = np.zeros((classes, classes))
    for label, prediction in zip(labels, predictions, strict=True):
        if label != prediction:
            counts[label, prediction] += 1
            if counting == "symmetric":
                counts[prediction, label] += 1
            if counting == "batch":
                counts[prediction, label] += sum(other == prediction for other in labels)
    return counts


def prototypes(before, features, labels, used, momentum, *, raw):  # Eq. 7
    after = before.copy()
    points = features if raw else unit(features)
    for i in range(len(before)):
        mine = (labels == i) & used
        if mine.any():
            after[i] = momentum * before[i] + (1 - momentum) * points[mine].mean(axis=0)
    return after


def inter(features, labels, prototypes, member, k):  # Eq. 8
    losses = []
    for feature, label in zip(unit(features), labels, strict=True):
        tau = temperature(member[label].sum(), k)
        raised = np.exp(unit(prototypes) @ feature / tau)
        losses.append(-np.log(raised[label] / (raised[label] + raised[member[label]].sum())))
    return float(np.mean(losses))


def intra(
    batch, labels, memory, memory_labels, tau, epsilon, *, official, margin=None, every=None, reduction="mean"
):  # Eq. 15
    """The batch against itself and an earlier memory."""
    margin = margin or ("exponent" if official else "cosine")
    every = official if every is None else every
    columns, names = unit(np.concatenate([batch, memory])), np.concatenate([labels, memory_labels])
    losses, counted = [], 0
    for a, anchor in enumerate(unit(batch)):
        s = columns @ anchor
        negative = np.exp(s[names != labels[a]] / tau).sum()
        terms = []
        for u in range(len(columns)):
            if u != a and names[u] == labels[a]:
                lowered = s[u] / tau - epsilon if margin == "exponent" else (s[u] - epsilon) / tau
                floor = 1e-6 * np.exp(1 / tau) if official else 0
                terms.append(-np.log(np.exp(s[u] / tau) / (np.exp(lowered) + negative + floor)))
        losses.append((np.mean if reduction == "mean" else np.sum)(terms) if terms else 0.0)
        counted += bool(terms)
    return float(np.sum(losses) / (len(batch) if every else max(counted, 1)))
