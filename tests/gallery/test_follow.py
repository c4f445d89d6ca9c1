import time
from collections.abc import Callable

import pytest

from gallery.follow import Follower
from gallery.library import Library
from gallery.store import Store
from gallery.template import NewTemplate
from model.errors import StoreUnavailable
from model.sequence import Floats

Vectors = Callable[..., Floats]
BUNDLE = "b" * 64


def until(true: Callable[[], bool], within_s: float = 10.0) -> None:
    """Waits for it, far longer than it should take."""
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def seen(library: Library) -> int:
    """Templates in the index of `staff` as it is, without a look at the store."""
    (cache,) = library.views.open.values()
    assert cache.view is not None
    return cache.view.index.count


def test_an_open_index_follows_what_another_process_does_without_a_search(
    library: Library, open_again: Callable[[], Store], vectors: Vectors
) -> None:
    other = Library(open_again())
    other.enroll("staff", [NewTemplate("ann", vectors(1)[0])], fingerprint=BUNDLE)
    library.warm("staff")
    with Follower(library):
        other.enroll("staff", [NewTemplate("bob", row) for row in vectors(3)], fingerprint=BUNDLE)
        until(lambda: seen(library) == 4)
        other.erase_subject("staff", "bob")
        until(lambda: seen(library) == 1)
        other.delete("staff")
        until(lambda: not library.views.open)


def test_a_warm_follower_opens_every_gallery(library: Library, vectors: Vectors) -> None:
    library.create("guests", fingerprint=BUNDLE, dim=8)
    library.enroll("guests", [NewTemplate("eve", vectors(1)[0])], fingerprint=BUNDLE)
    Follower(library).follow_once()
    assert not library.views.open
    Follower(library, warm=True).follow_once()
    assert len(library.views.open) == 2


def test_a_gallery_that_was_made_again_under_its_name_is_another_one(
    library: Library, open_again: Callable[[], Store], vectors: Vectors
) -> None:
    library.enroll("staff", [NewTemplate("ann", vectors(1)[0])], fingerprint=BUNDLE)
    library.warm("staff")
    other, follower = Library(open_again()), Follower(library)
    other.delete("staff")
    other.create("staff", fingerprint=BUNDLE, dim=8)
    follower.follow_once()
    assert not library.views.open
    assert library.warm("staff") == 0


def test_a_store_that_does_not_answer_is_said_once_and_tried_again(
    library: Library, vectors: Vectors, caplog: pytest.LogCaptureFixture
) -> None:
    library.warm("staff")
    broken = True

    class Unreachable(Follower):
        def follow_once(self) -> None:
            if broken:
                raise StoreUnavailable("the server is gone")
            super().follow_once()

    with Unreachable(library, every_s=0.001):
        until(lambda: bool(caplog.records))
        time.sleep(0.05)
        broken = False
        library.enroll("staff", [NewTemplate("ann", vectors(1)[0])], fingerprint=BUNDLE)
        until(lambda: seen(library) == 1)
    assert [record.getMessage() for record in caplog.records] == [
        "the follower cannot do its work now and goes on trying: the store cannot be used: the server is gone"
    ]


def test_a_stopped_follower_can_be_started_again(library: Library, vectors: Vectors) -> None:
    follower = Follower(library)
    for count in (1, 2):
        with follower:
            library.warm("staff")
            library.enroll("staff", [NewTemplate("ann", vectors(1, seed=count)[0])], fingerprint=BUNDLE)
            until(lambda wanted=count: seen(library) == wanted)  # type: ignore[misc]
