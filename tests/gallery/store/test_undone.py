"""What was undone never was: neither its rows nor its keys."""

import pytest

from gallery.store.transforming import rotate_transform
from gallery.store.writing import create_gallery
from gallery.template import Gallery, NewTemplate, now
from model.errors import StoreUnavailable

BUNDLE, DIM = "b" * 64, 8


def make_and_give_up(store):
    with store.write() as connection:
        key = create_gallery(connection, store, Gallery("undone", BUNDLE, DIM, now()))
        assert store.secrets.gallery_key(connection, key)
        assert store.secrets.sealer(connection, store.secrets.gallery_key(connection, key).number)
        assert store.secrets.signing_key(connection)
        raise KeyboardInterrupt


def test_a_key_of_a_transaction_that_was_undone_is_not_remembered(store, open_again, vectors):
    """Its number is given to the next key, and whatever would be sealed under the old one could never be read."""
    with pytest.raises(KeyboardInterrupt):
        make_and_give_up(store)
    store.create_gallery("staff", BUNDLE, DIM)
    store.enroll("staff", BUNDLE, [NewTemplate("ann", vectors(1)[0])])
    with store.write() as connection:
        signing = store.secrets.signing_key(connection)
    again = open_again()
    assert len(again.everything("staff")[1].ids) == 1
    with again.write() as connection:
        assert again.secrets.signing_key(connection) == signing


def test_an_enrollment_under_a_transform_that_was_changed_is_refused(store, vectors):
    store.create_gallery("staff", BUNDLE, DIM, protected=True)
    epoch = store.head("staff").epoch
    rotate_transform(store, "staff")
    with pytest.raises(StoreUnavailable, match="another transform just now"):
        store.enroll("staff", BUNDLE, [NewTemplate("ann", vectors(1)[0])], epoch=epoch)
    store.enroll("staff", BUNDLE, [NewTemplate("ann", vectors(1)[0])], epoch=store.head("staff").epoch)
