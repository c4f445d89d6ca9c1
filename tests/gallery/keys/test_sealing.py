import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.keys.sealing import (
    NONCE_BYTES,
    OVERHEAD,
    Sealer,
    bound_to,
    keyed_hash,
    mark_of,
    new_key,
    seal,
    unseal,
)
from model.errors import InvalidArchive

texts = st.binary(max_size=300)


@given(texts, texts)
def test_what_was_sealed_comes_back(plain, bound):
    key = new_key()
    assert unseal(key, seal(key, plain, bound), bound) == plain


@given(texts, st.integers(min_value=0), st.integers(0, 7))
def test_any_flipped_bit_is_refused(plain, where, bit):
    key = new_key()
    sealed = bytearray(seal(key, plain, b"here"))
    sealed[where % len(sealed)] ^= 1 << bit
    with pytest.raises(InvalidArchive):
        unseal(key, bytes(sealed), b"here")


@given(texts, st.integers(min_value=1))
def test_a_text_that_is_cut_off_is_refused(plain, missing):
    key = new_key()
    sealed = seal(key, plain, b"here")
    with pytest.raises(InvalidArchive):
        unseal(key, sealed[: max(0, len(sealed) - missing)], b"here")


@given(texts, texts, texts)
def test_a_text_unseals_only_where_it_belongs(plain, bound, other):
    key = new_key()
    sealed = seal(key, plain, bound)
    if bound != other:
        with pytest.raises(InvalidArchive):
            unseal(key, sealed, other)
    with pytest.raises(InvalidArchive):
        unseal(new_key(), sealed, bound)


@given(
    st.tuples(st.sampled_from("ab"), st.lists(st.integers())), st.tuples(st.sampled_from("ab"), st.lists(st.integers()))
)
def test_different_things_are_bound_differently(one, other):
    assert (bound_to(one[0], *one[1]) == bound_to(other[0], *other[1])) == (one == other)


def test_nothing_of_the_text_shows_and_equal_texts_look_different():
    key, plain = new_key(), b"a template of somebody's body" * 4
    one, other = seal(key, plain, b""), seal(key, plain, b"")
    assert plain[:8] not in one
    assert one[:NONCE_BYTES] != other[:NONCE_BYTES]
    assert mark_of(one) != mark_of(other)
    assert len(one) == len(plain) + OVERHEAD


def test_one_sealer_serves_many():
    sealer = Sealer(new_key())
    sealed = [sealer.seal(bytes([n]), bound_to("thing", n)) for n in range(100)]
    assert [sealer.unseal(each, bound_to("thing", n)) for n, each in enumerate(sealed)] == [
        bytes([n]) for n in range(100)
    ]


@given(st.binary(max_size=5000))
def test_chunks_are_unsealed_in_place(plain):
    sealer, out = Sealer(new_key()), bytearray(len(plain))
    sealed = sealer.seal(memoryview(plain), b"0")
    sealer.unseal_into(sealed, b"0", memoryview(out))
    assert out == plain
    for wrong, size in ((b"1", len(plain)), (b"0", len(plain) + 1)):
        with pytest.raises(InvalidArchive):
            sealer.unseal_into(sealed, wrong, memoryview(bytearray(size)))


def test_a_key_is_not_shown():
    key = bytes(range(32))
    assert key.hex() not in repr(Sealer(key))
    assert str(key) not in repr(Sealer(key))


@given(st.binary(min_size=OVERHEAD, max_size=60))
def test_a_mark_fits_into_a_signed_column(sealed):
    assert -(2**63) <= mark_of(sealed) < 2**63


def test_a_keyed_hash_is_alike_under_one_key_only():
    key = new_key()
    assert keyed_hash(key, "walk.json") == keyed_hash(key, "walk.json")
    assert keyed_hash(key, "walk.json") != keyed_hash(key, "walk2.json")
    assert keyed_hash(key, "walk.json") != keyed_hash(new_key(), "walk.json")
    assert len(keyed_hash(key, "walk.json")) == 64
