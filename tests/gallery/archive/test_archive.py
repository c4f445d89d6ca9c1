"""A gallery that was exported and imported gives the answers that it gave."""

import re
from base64 import b64decode
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select, update

from gallery.archive.exporting import export_gallery
from gallery.archive.importing import import_gallery, public_key
from gallery.archive.lock import Opener
from gallery.keys.sealing import Sealer, bound_to
from gallery.library import Library
from gallery.store.audit import audit_page, verify_chain
from gallery.store.schema import subjects, templates, vault
from gallery.template import NewTemplate
from model.errors import GalleryExists, InvalidArchive, KeyUnavailable, UnknownGallery

BUNDLE = "b" * 64

# What is not the database's own is tried on one kind.
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def decisions(library, gallery, probes):
    """Everything of the answers but the numbers of templates and changes."""
    found = library.identify(gallery, probes, fingerprint=BUNDLE, top_k=8)
    about = "outcome subject score threshold fpir margin searched basis reasons calibration likelihood".split()
    return [
        ([getattr(one, name) for name in about], [(each.subject, each.score) for each in one.candidates])
        for one in found
    ]


def everything(store, gallery):
    """All that is held, by name, without numbers."""
    held = {}
    for one in store.subjects(gallery):
        about = (one.created, one.templates, one.consent, one.hold, dict(one.metadata))
        of_subject = [
            (each.embedding.tolist(), dict(each.labels), each.frames, each.created, each.fingerprint)
            for each in store.templates_of(gallery, one.id)
        ]
        held[one.id] = (about, of_subject)
    details = store.gallery(gallery)
    same = (details.gallery.created, details.gallery.vault_days, details.gallery.protected, details.gallery.templates)
    return held, same, details.gallery.fingerprint, details.gallery.dim, details.calibration


def skeletons(store, gallery):
    """(subject, sequence, until when) of what the vault holds."""
    found = []
    with store.read() as connection:
        wanted = select(subjects, templates.c.created, vault.c.skeleton, vault.c.expires.label("until"))
        wanted = wanted.join(templates, templates.c.subject_id == subjects.c.id)
        wanted = wanted.join(vault, vault.c.template_id == templates.c.id)
        for row in connection.execute(wanted.where(subjects.c.gallery_id == store.head(gallery).key)).all():
            sealer = Sealer(store.secrets.data_key(connection, row))
            found.append(
                (row.name, sealer.unseal(row.skeleton, bound_to("skeleton", row.gallery_id, row.id)), row.until)
            )
    return sorted(found)


@pytest.mark.parametrize("full", [True, False], indirect=True, ids=["protected", "open"])
def test_the_imported_gallery_is_the_exported_one(full, elsewhere, tmp_path, opener, vectors):
    """SQLite and PostgreSQL into a SQLite of its own, and back into where it came from."""
    probes = np.concatenate([vectors(16), vectors(20, seed=4)])
    before = decisions(full, "staff", probes)
    made = export_gallery(full.store, "staff", tmp_path / "staff.gka", opener, with_vault=True)
    assert (made.subjects, made.templates, made.skeletons) == (8, 16, 5)
    trusted = b64decode(made.public_key)
    there = import_gallery(elsewhere, tmp_path / "staff.gka", opener, trusted=trusted)
    back = import_gallery(full.store, tmp_path / "staff.gka", opener, name="copy")
    assert (there.gallery, back.gallery, back.subjects, back.templates, back.skeletons) == ("staff", "copy", 8, 16, 5)
    for library, name in ((Library(elsewhere), "staff"), (full, "copy")):
        assert decisions(library, name, probes) == before
        assert everything(library.store, name) == everything(full.store, "staff")
        assert skeletons(library.store, name) == skeletons(full.store, "staff")
        assert library.store.check() == []
        assert verify_chain(library.store).broken is None


def test_from_sqlite_through_an_archive_into_this_kind_of_database(store, elsewhere, tmp_path, opener, vectors):
    library = Library(elsewhere)
    library.create("staff", fingerprint=BUNDLE, dim=8, protected=True)
    new = [NewTemplate(f"s{n % 40}", row, labels={"n": str(n)}) for n, row in enumerate(vectors(400))]
    library.enroll("staff", new, fingerprint=BUNDLE)
    made = export_gallery(elsewhere, "staff", tmp_path / "staff.gka", opener)
    import_gallery(store, tmp_path / "staff.gka", opener, trusted=b64decode(made.public_key))
    probes = np.concatenate([vectors(50), vectors(50, seed=5)])
    assert Library(store).identify("staff", probes[:1], fingerprint=BUNDLE, threshold=0.5)[0].subject == "s0"
    assert decisions(Library(store), "staff", probes) == decisions(library, "staff", probes)
    assert everything(store, "staff") == everything(elsewhere, "staff")


def test_the_imported_gallery_lives_on(full, elsewhere, tmp_path, opener, vectors):
    made = export_gallery(full.store, "staff", tmp_path / "staff.gka", opener)
    import_gallery(elsewhere, tmp_path / "staff.gka", opener, trusted=b64decode(made.public_key))
    library = Library(elsewhere)
    row = vectors(1, seed=7)[0]
    # A recording that was enrolled before is known by its hash.
    again = [NewTemplate("s1", row, source="walk 1"), NewTemplate("s1", row, source="walk 99")]
    assert [each.repeated for each in library.enroll("staff", again, fingerprint=BUNDLE)] == [True, False]
    assert library.identify("staff", row[None], fingerprint=BUNDLE, threshold=0.9)[0].subject == "s1"
    library.erase_subject("staff", "s1")
    assert library.identify("staff", row[None], fingerprint=BUNDLE, threshold=0.9)[0].subject is None


@sqlite_only
def test_without_the_vault_no_sequence_is_in_it(full, elsewhere, tmp_path, opener):
    made = export_gallery(full.store, "staff", tmp_path / "staff.gka", opener)
    there = import_gallery(elsewhere, tmp_path / "staff.gka", opener, trusted=b64decode(made.public_key))
    assert (made.skeletons, there.skeletons, skeletons(elsewhere, "staff")) == (0, 0, [])
    assert elsewhere.gallery("staff").gallery.vault_days == 30


@sqlite_only
def test_an_imported_gallery_has_keys_of_its_own_and_its_old_transform(full, elsewhere, tmp_path, opener):
    made = export_gallery(full.store, "staff", tmp_path / "staff.gka", opener)
    import_gallery(elsewhere, tmp_path / "staff.gka", opener, trusted=b64decode(made.public_key))
    one, other = full.store.transform("staff"), elsewhere.transform("staff")
    assert (one is None) == (other is None)
    assert one is None or np.array_equal(one, other)
    keys = []
    for store in (full.store, elsewhere):
        with store.read() as connection:
            keys.append(store.secrets.gallery_key(connection, store.head("staff").key).key)
            owner = connection.execute(select(subjects).where(subjects.c.name == "s1")).one()
            keys.append(store.secrets.data_key(connection, owner))
    assert len(set(keys)) == 4


def test_who_was_erased_since_does_not_come_back(full, tmp_path, opener):
    export_gallery(full.store, "staff", tmp_path / "staff.gka", opener)
    full.erase_subject("staff", "s3")
    full.erase_template("staff", full.templates_of("staff", "s4")[0].id)
    back = import_gallery(full.store, tmp_path / "staff.gka", opener, name="copy")
    assert (back.subjects, back.templates, back.erased) == (7, 13, 3)
    assert everything(full.store, "copy")[0] == everything(full.store, "staff")[0]


def test_whose_consent_has_expired_is_not_exported_unless_held(full, elsewhere, tmp_path, opener):
    gone = (datetime.now(UTC) - timedelta(days=1) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    with full.store.write() as connection:
        connection.execute(update(subjects).where(subjects.c.name.in_(("s1", "s2"))).values(expires=gone))
    made = export_gallery(full.store, "staff", tmp_path / "staff.gka", opener)
    assert (made.subjects, made.templates) == (7, 14)
    import_gallery(elsewhere, tmp_path / "staff.gka", opener, trusted=b64decode(made.public_key))
    assert "s1" not in {each.id for each in elsewhere.subjects("staff")}
    assert elsewhere.subject("staff", "s2").hold == "inquiry 5"


@sqlite_only
def test_both_are_in_the_audit_log(full, elsewhere, tmp_path, opener):
    made = export_gallery(full.store, "staff", tmp_path / "staff.gka", opener)
    import_gallery(elsewhere, tmp_path / "staff.gka", opener, trusted=b64decode(made.public_key))
    for store, action in ((full.store, "export"), (elsewhere, "import")):
        (entry,) = audit_page(store, action=action)
        assert made.archive in entry.detail
        assert entry.gallery_id == store.head("staff").key
        assert "s1" not in entry.detail.replace(made.public_key, "")  # which may have any letters in it


@sqlite_only
def test_the_file_is_for_this_user_and_shows_nothing(full, tmp_path, opener, vectors):
    path = tmp_path / "staff.gka"
    export_gallery(full.store, "staff", path, opener, with_vault=True)
    content = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    for secret in (b"staff", b"form 7", b"GKV1", BUNDLE.encode(), vectors(16)[3].tobytes()[:8]):
        assert secret not in content
    assert sorted(each.name for each in tmp_path.iterdir()) == ["data", "staff.gka"]


@sqlite_only
def test_another_store_is_trusted_only_by_name(full, elsewhere, tmp_path, opener):
    path = tmp_path / "staff.gka"
    made = export_gallery(full.store, "staff", path, opener)
    assert made.public_key.encode() not in path.read_bytes()
    with pytest.raises(InvalidArchive, match=f"not by this store.*--trust {re.escape(made.public_key)}"):
        import_gallery(elsewhere, path, opener)
    with pytest.raises(InvalidArchive, match="not by the one that is trusted"):
        import_gallery(elsewhere, path, opener, trusted=public_key(elsewhere))
    assert elsewhere.galleries() == []
    assert import_gallery(elsewhere, path, opener, trusted=public_key(full.store)).templates == 16


@sqlite_only
def test_a_damaged_archive_leaves_nothing(full, elsewhere, tmp_path, opener):
    path = tmp_path / "staff.gka"
    made = export_gallery(full.store, "staff", path, opener)
    content = path.read_bytes()
    for bad in (
        content[:-1],
        content[: len(content) // 2],
        content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
        b"",
        content + b"\0",
    ):
        path.write_bytes(bad)
        with pytest.raises(InvalidArchive):
            import_gallery(elsewhere, path, opener, trusted=b64decode(made.public_key))
    path.write_bytes(content)
    with pytest.raises(KeyUnavailable):
        import_gallery(elsewhere, path, Opener("key", bytes(32)), trusted=b64decode(made.public_key))
    with pytest.raises(InvalidArchive, match="no such file"):
        import_gallery(elsewhere, tmp_path / "nothing", opener)
    assert elsewhere.galleries() == []
    assert len(import_gallery(elsewhere, path, opener, trusted=b64decode(made.public_key)).gallery) == 5


@sqlite_only
def test_a_name_that_is_taken_or_impossible_is_refused(full, tmp_path, opener):
    export_gallery(full.store, "staff", tmp_path / "staff.gka", opener)
    with pytest.raises(GalleryExists):
        import_gallery(full.store, tmp_path / "staff.gka", opener)
    with pytest.raises(InvalidArchive, match="slash"):
        import_gallery(full.store, tmp_path / "staff.gka", opener, name="a/b")
    assert [each.name for each in full.galleries()] == ["staff"]


@sqlite_only
def test_an_import_that_is_interrupted_leaves_nothing(full, elsewhere, tmp_path, opener, vectors):
    made = export_gallery(full.store, "staff", tmp_path / "staff.gka", opener)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_gallery(elsewhere, tmp_path / "staff.gka", opener, trusted=b64decode(made.public_key), progress=stop)
    assert elsewhere.galleries() == []
    assert elsewhere.check() == []
    library = Library(elsewhere)
    library.create("other", fingerprint=BUNDLE, dim=8)
    library.enroll("other", [NewTemplate("ann", vectors(1)[0])], fingerprint=BUNDLE)
    assert library.templates_of("other", "ann")


def test_an_export_that_is_interrupted_leaves_the_older_file(full, tmp_path, opener):
    path = tmp_path / "staff.gka"
    path.write_bytes(b"older")

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_gallery(full.store, "staff", path, opener, progress=stop)
    assert path.read_bytes() == b"older"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["data", "staff.gka"]
    with pytest.raises(UnknownGallery):
        export_gallery(full.store, "nobody", path, opener)
    assert path.read_bytes() == b"older"


@sqlite_only
def test_a_file_that_cannot_be_written_says_so(full, tmp_path, opener):
    (tmp_path / "file").touch()
    for path, reason in (
        (tmp_path / "file" / "a.gka", "not a directory"),
        (tmp_path / "none" / "a.gka", "no such file"),
    ):
        with pytest.raises(InvalidArchive, match=f"cannot be written: {reason}"):
            export_gallery(full.store, "staff", path, opener)


def test_an_empty_gallery_can_be_moved_too(store, elsewhere, tmp_path, opener):
    store.create_gallery("empty", BUNDLE, 8)
    made = export_gallery(store, "empty", tmp_path / "empty.gka", opener)
    assert import_gallery(elsewhere, tmp_path / "empty.gka", opener, trusted=b64decode(made.public_key)).templates == 0
    assert [each.name for each in elsewhere.galleries()] == ["empty"]
