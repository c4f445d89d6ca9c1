"""The templates of a gallery page by page, and a skeleton that is given out."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from gallery.store import Store
from gallery.store.audit import audit_page
from gallery.store.listing import skeleton_of, template_page
from gallery.template import Consent, NewTemplate
from gallery.vault import pack, unpack
from model.errors import InvalidRequest, UnknownGallery, UnknownResource, UnknownSubject, UnknownTemplate
from model.sequence import Floats
from tests.fakes import walking

BUNDLE = "b" * 64
GONE = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def kept(store: Store, vectors: Callable[..., Floats]) -> Store:
    """Five templates of three subjects; the vault has a skeleton of the first."""
    store.create_gallery("staff", BUNDLE, 8, vault_days=30)
    new = [
        NewTemplate(f"s{i % 3}", row, {"view": f"{i:03}"}, 60 + i, skeleton=pack(walking(0)) if i == 0 else None)
        for i, row in enumerate(vectors(5))
    ]
    store.enroll("staff", BUNDLE, new)
    return store


def test_pages_follow_one_another_by_number(kept: Store) -> None:
    whole = template_page(kept, "staff")
    assert [each.subject for each in whole] == ["s0", "s1", "s2", "s0", "s1"]
    assert [dict(each.labels)["view"] for each in whole] == ["000", "001", "002", "003", "004"]
    assert [each.frames for each in whole] == [60, 61, 62, 63, 64]
    first = template_page(kept, "staff", limit=2)
    assert [*first, *template_page(kept, "staff", after=first[-1].id)] == whole


def test_it_says_whose_skeletons_are_kept(kept: Store) -> None:
    assert [each.vault for each in template_page(kept, "staff")] == [True, False, False, False, False]


def test_a_gallery_that_is_not_there_has_no_page(kept: Store) -> None:
    with pytest.raises(UnknownGallery):
        template_page(kept, "nobody")


def test_a_skeleton_comes_out_as_it_went_in_and_the_log_says_so(kept: Store) -> None:
    template = template_page(kept, "staff")[0].id
    assert np.array_equal(unpack(skeleton_of(kept, "staff", "s0", template)).joints, walking(0).joints)
    entry = audit_page(kept)[-1]
    assert (entry.action, entry.detail) == ("show_skeleton", f'{{"template":{template}}}')


def test_what_is_not_there_is_not_given_out_and_not_logged(kept: Store) -> None:
    before = len(audit_page(kept))
    numbers = [each.id for each in template_page(kept, "staff")]
    with pytest.raises(UnknownResource, match="skeleton"):
        skeleton_of(kept, "staff", "s1", numbers[1])
    with pytest.raises(UnknownTemplate):
        skeleton_of(kept, "staff", "s1", numbers[0])
    with pytest.raises(UnknownSubject):
        skeleton_of(kept, "staff", "nobody", numbers[0])
    assert len(audit_page(kept)) == before


def test_the_skeleton_of_somebody_whose_consent_has_ended_is_not_given_out(kept: Store) -> None:
    kept.update_subject("staff", "s0", consent=Consent(expires=GONE))
    with pytest.raises(UnknownResource):
        skeleton_of(kept, "staff", "s0", template_page(kept, "staff")[0].id)


def test_a_name_with_a_zero_byte_is_the_callers_mistake(kept: Store) -> None:
    """SQLite finds nothing of such a name, PostgreSQL refuses to look; the store is well in either case."""
    with pytest.raises((UnknownGallery, InvalidRequest)):
        template_page(kept, "st\0ff")
    with pytest.raises((UnknownSubject, InvalidRequest)):
        skeleton_of(kept, "staff", "s\0", 1)
