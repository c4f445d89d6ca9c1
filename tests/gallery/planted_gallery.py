"""Galleries whose faults are planted: people are random directions, templates noisy copies of them."""

import numpy as np

from gallery.doctor_findings import Held
from gallery.template import Consent
from model.clips import unit_length

DIM = 32


class Planted:
    """`people` with `each` templates; `spread` is the noise against distance between people."""

    def __init__(self, people=60, each=8, spread=0.5, seed=0):
        self.rng = np.random.default_rng(seed)
        self.centres = self.rng.standard_normal((people, DIM))
        self.spread = spread
        self.owner = np.repeat(np.arange(people), each).tolist()
        self.vectors = [self.of(person) for person in self.owner]
        self.labels = [{"view": f"{90 * (i % 2):03d}"} for i in range(len(self.owner))]
        self.frames = [60] * len(self.owner)
        self.created = [0] * len(self.owner)
        self.consents = {}

    def of(self, person):
        """A template of a person."""
        return self.centres[person] + self.spread * self.rng.standard_normal(DIM)

    def add(self, subject, vector, labels=None):
        self.owner.append(subject)
        self.vectors.append(vector)
        self.labels.append(labels or {"view": "000"})
        self.frames.append(60)
        self.created.append(0)

    def rows(self, subject):
        return [row for row, owner in enumerate(self.owner) if owner == subject]

    def held(self):
        """Template ids are the rows in the order in which they were planted."""
        owner = np.array(self.owner)
        order = np.argsort(owner, kind="stable")
        people = int(owner.max()) + 1
        return Held(
            gallery="planted",
            names=tuple(f"s{i:03d}" for i in range(people)),
            consents=tuple(self.consents.get(i, Consent()) for i in range(people)),
            ids=order.astype(np.int64),
            owner=owner[order].astype(np.int64),
            embeddings=unit_length(np.array(self.vectors, np.float32))[order],
            labels=tuple(self.labels[i] for i in order),
            frames=np.array(self.frames, np.int64)[order],
            created=np.array(self.created, np.int64)[order],
        )
