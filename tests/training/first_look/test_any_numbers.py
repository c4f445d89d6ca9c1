"""Whatever a batch holds, it is looked at without a failure and without a warning of NumPy's."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model.named_layouts import LAYOUTS
from tests.training.small import small_recipe
from training.first_look import look


@st.composite
def batches(draw):
    layout = draw(st.sampled_from(sorted(LAYOUTS.values(), key=lambda each: each.name)))
    dims, people, frames = draw(st.sampled_from([2, 3])), draw(st.integers(1, 2)), draw(st.sampled_from([4, 9, 16]))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    size = 10.0 ** draw(st.integers(-30, 30))
    clips = (rng.normal(size=(4, people, frames, layout.count, dims + 1)) * size).astype(np.float32)
    clips[..., -1] = rng.random(clips.shape[:-1])
    spoil = draw(st.sampled_from(["nothing", "all joints but one", "a frame only", "confidence", "NaN", "still"]))
    match spoil:
        case "all joints but one":
            clips[..., 1:, :] = 0
        case "a frame only":
            clips[:, :, 1:] = 0
        case "confidence":
            clips[..., -1] = rng.normal(size=clips.shape[:-1]) * size
        case "NaN":
            clips[0] = np.nan
        case "still":
            clips[:, :, 1:] = clips[:, :, :1]
    network = {"layout": layout.name, "dims": dims, "people": people, "classes": 2, "normalisation": {"scale": "none"}}
    clip = {"frames": frames, "dims": dims, "people": people, "minimum": 4}
    recipe = small_recipe(network=network, clip=clip)
    return (clips if people > 1 else clips[:, 0]), recipe, layout


@settings(max_examples=60, deadline=None)
@given(batches(), st.sampled_from([None, np.array([0, 5]), np.array([1, 1])]))
def test_looking_never_fails(batch, counts):
    clips, recipe, layout = batch
    findings = look(clips, np.array([0, 1, 0, 1]), recipe, layout, ("a", "b"), counts)
    assert all(findings.notices)
    if not np.isfinite(clips).all():
        assert findings.refused is not None
