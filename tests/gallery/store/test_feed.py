"""Whoever follows the log of changes has what is in the store, at any moment and while others write."""

import threading
from collections.abc import Callable

import numpy as np
import pytest

from gallery.store import Store
from gallery.template import NewTemplate
from model.sequence import Floats

Vectors = Callable[..., Floats]
BUNDLE = "b" * 64


@pytest.fixture
def staff(store: Store) -> Store:
    store.create_gallery("staff", BUNDLE, 8)
    return store


def test_the_change_log_leads_from_any_earlier_state_to_the_present_one(staff: Store, vectors: Vectors) -> None:
    rng = np.random.default_rng(3)
    states: list[tuple[int, dict[int, list[float]]]] = []
    for step in range(40):
        present = staff.everything("staff")[1]
        if step % 3 == 2 and len(present.ids):
            staff.erase_template("staff", int(rng.choice(present.ids)))
        else:
            staff.enroll("staff", BUNDLE, [NewTemplate(f"s{rng.integers(5)}", each) for each in vectors(2, seed=step)])
        head, rows = staff.everything("staff")
        states.append((head.seq, dict(zip(rows.ids.tolist(), rows.embeddings.tolist(), strict=True))))
    last = states[-1][1]
    for seq, state in states:
        head, update = staff.update("staff", seq)
        came = dict(zip(update.added.ids.tolist(), update.added.embeddings.tolist(), strict=True))
        followed = {key: value for key, value in state.items() if key not in update.removed.tolist()} | came
        assert followed == last
        assert update.seq == head.seq == states[-1][0]


def test_who_follows_the_log_while_others_write_misses_nothing(
    staff: Store, vectors: Vectors, open_again: Callable[[], Store]
) -> None:
    def work(store: Store, name: str) -> None:
        for place, each in enumerate(vectors(25)):
            (added,) = store.enroll("staff", BUNDLE, [NewTemplate(name, each)])
            if place % 4 == 3:
                store.erase_template("staff", added.template or 0)

    writers = [threading.Thread(target=work, args=(open_again(), f"s{i}")) for i in range(3)]
    for writer in writers:
        writer.start()
    seq, held = 0, set[int]()
    while writing := any(writer.is_alive() for writer in writers) or seq < staff.head("staff").seq:
        _, update = staff.update("staff", seq)
        assert not set(update.added.ids.tolist()) & held
        held = held - set(update.removed.tolist()) | set(update.added.ids.tolist())
        seq = update.seq
    assert not writing
    assert held == set(staff.everything("staff")[1].ids.tolist())
    assert len(held) == 3 * 19
