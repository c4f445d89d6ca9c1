"""Two stores of different kinds, and a gallery with everything that a gallery can have."""

from datetime import UTC, datetime, timedelta

import pytest

from gallery.archive.lock import Opener
from gallery.library import Library
from gallery.store import open_store
from gallery.template import Consent, NewTemplate

BUNDLE, DIM = "b" * 64, 8
CALIBRATION = {
    "id": "ours",
    "made_on": "eight people",
    "subjects": 8,
    "searches": 400,
    "target_fpir": 0.05,
    "table": [{"subjects": 8, "fpir": 0.05, "threshold": 0.6}],
}


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Several pages and chunks, however few there are."""
    monkeypatch.setattr("gallery.archive.exporting.CHUNK_BYTES", 500)
    monkeypatch.setattr("gallery.store.exporting.PAGE", 3)


@pytest.fixture
def opener():
    return Opener("key", bytes(range(32)))


@pytest.fixture
def full(request, store, vectors):
    """A library with a gallery `staff`, protected unless False is asked for: eight subjects with two templates each,
    five of them in the vault."""
    library = Library(store)
    library.create("staff", fingerprint=BUNDLE, dim=DIM, vault_days=30, protected=getattr(request, "param", True))
    rows = vectors(16)
    new = [
        NewTemplate(
            f"s{n % 8}",
            row,
            labels={"view": f"{n:03}"} if n % 3 else {},
            frames=n,
            source=f"walk {n}" if n % 2 else None,
            skeleton=b"GKV1 of " + bytes([n]) if n < 5 else None,
        )
        for n, row in enumerate(rows)
    ]
    library.enroll("staff", new, fingerprint=BUNDLE)
    later = datetime.now(UTC) + timedelta(days=7)
    store.update_subject(
        "staff", "s1", consent=Consent("form 7", "access to the lab", later), metadata={"room": "ä 12"}
    )
    store.update_subject("staff", "s2", hold="inquiry 5")
    store.set_calibration("staff", CALIBRATION)
    return library


@pytest.fixture
def elsewhere(tmp_path):
    """Another, empty store."""
    opened = open_store(tmp_path / "elsewhere")
    yield opened
    opened.close()
