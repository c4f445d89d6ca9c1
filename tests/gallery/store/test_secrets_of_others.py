"""Several hosts may use one database: each needs the same master keys, and none makes others beside them."""

import pytest

from gallery.keys.masters import FileMasters
from gallery.store.rotation import rotate_master
from gallery.template import NewTemplate
from model.errors import KeyUnavailable

BUNDLE, DIM = "b" * 64, 8


def with_masters(store, path):
    store.masters = store.secrets.masters = FileMasters(path)
    return store


def test_a_host_without_the_master_keys_makes_none_beside_them(store, open_again, tmp_path, vectors):
    store.create_gallery("staff", BUNDLE, DIM)
    other = with_masters(open_again(), tmp_path / "other" / "master.key")
    with pytest.raises(KeyUnavailable, match="is missing; put the file"):
        other.create_gallery("visitors", BUNDLE, DIM)
    with pytest.raises(KeyUnavailable, match="is missing; put the file"):
        rotate_master(other)
    assert not (tmp_path / "other").exists()
    assert [each.name for each in other.galleries()] == ["staff"]
    other.masters.path.parent.mkdir()
    other.masters.path.write_bytes(store.masters.path.read_bytes())
    other.masters.path.chmod(0o600)
    other.create_gallery("visitors", BUNDLE, DIM)
    store.enroll("visitors", BUNDLE, [NewTemplate("ann", vectors(1)[0])])


def test_a_host_with_other_master_keys_adds_nothing(store, open_again, tmp_path):
    store.create_gallery("staff", BUNDLE, DIM)
    other = with_masters(open_again(), tmp_path / "other.key")
    other.masters.wrap(b"", b"")
    with pytest.raises(KeyUnavailable, match="is not in"):
        other.create_gallery("visitors", BUNDLE, DIM)
    with pytest.raises(KeyUnavailable, match="is not in"):
        rotate_master(other)
    assert store.gallery("staff")
