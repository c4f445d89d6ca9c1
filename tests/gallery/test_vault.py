"""Skeletons of the vault: the same numbers come out, and nothing else comes in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.vault import HEADER_BYTES, MAGIC, pack, source_of, unpack
from model.errors import InvalidArchive
from model.named_layouts import COCO_17, NTU_25
from model.sequence import SkeletonSequence, Units
from tests.fakes import walking


@given(
    frames=st.integers(1, 40),
    dims=st.sampled_from([2, 3]),
    fps=st.floats(0.01, 1000),
    aspect=st.none() | st.floats(0.1, 10),
    units=st.sampled_from(Units),
    seed=st.integers(0, 1000),
)
def test_what_is_unpacked_is_what_was_packed(
    frames: int, dims: int, fps: float, aspect: float | None, units: Units, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    layout = COCO_17 if seed % 2 else NTU_25
    joints = (rng.standard_normal((frames, layout.count, dims)) * 10.0 ** rng.integers(-6, 4)).astype(np.float32)
    confidence = rng.random((frames, layout.count)).astype(np.float32).round(1)
    units = units if dims == 3 or units is not Units.METRES else Units.PIXELS
    sequence = SkeletonSequence(joints, confidence, layout, fps, units, aspect)
    again = unpack(pack(sequence))
    assert (again.layout, again.fps, again.units, again.aspect) == (layout, sequence.fps, units, aspect)
    assert np.array_equal(again.joints, sequence.joints)
    assert np.array_equal(again.confidence, sequence.confidence)
    assert source_of(again) == source_of(sequence)


@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_damaged_skeleton_is_refused_or_a_valid_one(place: int, bit: int) -> None:
    packed = bytearray(pack(walking(frames=12)))
    packed[place % len(packed)] ^= 1 << bit
    try:
        unpack(bytes(packed))
    except InvalidArchive:
        return
    # Only what no checksum covers may pass: a digit of the header.
    assert len(MAGIC) + 4 <= place % len(packed) < HEADER_BYTES


@pytest.mark.parametrize("cut", [0, 3, 7, 20, 90, 200, -1])
def test_a_part_of_a_skeleton_is_none(cut: int) -> None:
    with pytest.raises(InvalidArchive):
        unpack(pack(walking(frames=12))[:cut])


def test_what_claims_to_be_huge_or_is_longer_than_it_says_is_refused() -> None:
    packed = pack(walking(frames=12))
    with pytest.raises(InvalidArchive, match="cannot be"):
        unpack(packed.replace(b'"frames":12', b'"frames":99999999').replace(packed[4:8], _length(packed, 6)))
    with pytest.raises(InvalidArchive, match="not as long"):
        unpack(packed.replace(b'"frames":12', b'"frames":11'))
    with pytest.raises(InvalidArchive, match="not as long"):
        unpack(packed + b"more")


def _length(packed: bytes, more: int) -> bytes:
    return (int.from_bytes(packed[4:8], "little") + more).to_bytes(4, "little")
