"""The recipe for re-identification, from a data set to an answer of the service."""

import io
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from gallery.library import Library
from gallery.store import open_store
from model.bundle import Bundle
from model.runtime import OnnxEncoder
from tests.service.client import started
from tests.service.conftest import as_json, make_app
from tests.training.small import small_set
from training.choose import expanded, held_out_mask
from training.data.arrays import SequenceSet
from training.evaluate.reid import evaluate_reid
from training.evaluate.reid_show import to_json
from training.evaluate.reid_source import cut
from training.evaluate.results import heading
from training.export import Attached, Converted, convert, write
from training.fit import fit
from training.protocols.reid import FRAMES, NAME, TEST, TRAIN, VALIDATION
from training.recipe import Recipe, load_recipe
from training.run import load_run
from training.split import split

RECIPE = Path(__file__).parents[2] / "training" / "recipes" / "casia-b-reid.toml"
PEOPLE = ("001", "002", "003", "004", "051", "052", "063", "064")
SMALL = (
    "network.widths=[8, 8]", "network.strides=[2, 2]", "network.dim=16", "sampler.classes=4", "sampler.per_class=2",
    "loss.intra.bank=24", "optim.epochs=1", "optim.steps=2", "validation.every=1", "threads=1",
)  # fmt: skip


def recipe(data: Path = Path("set.npz")) -> Recipe:
    return load_recipe(RECIPE, [f"data.paths=['{data}']", *SMALL])


@pytest.fixture(scope="module")
def people() -> SequenceSet:
    """Four who train, two who choose the checkpoint, two who are tested."""
    data: SequenceSet = small_set(subjects=len(PEOPLE), frames=45)
    data.subject[:] = np.array(PEOPLE)[data.subject.astype(int) - 1]
    return data


@pytest.fixture(scope="module")
def converted(people: SequenceSet, tmp_path_factory: pytest.TempPathFactory) -> Converted:
    run = tmp_path_factory.mktemp("runs") / "reid"
    fit(recipe(), run, data=split(people, recipe()), console=Console(file=io.StringIO()))
    return convert(load_run(run))


@pytest.fixture(scope="module")
def bundle(converted: Converted, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return write(converted, tmp_path_factory.mktemp("bundles") / "reid").bundle


def test_it_trains_on_windows_of_40_frames_of_the_62_people_who_are_not_tested():
    whole = load_recipe(RECIPE)
    everybody = np.array(sorted(TRAIN + TEST))
    assert whole.clip.frames == FRAMES == 40
    assert expanded(whole.data.keep["subject"], everybody) == list(TRAIN)
    assert expanded(whole.data.validation["subject"], everybody) == list(VALIDATION)


def test_nobody_who_is_tested_is_trained_on_or_chooses_the_checkpoint(people: SequenceSet):
    data = split(people, recipe())
    assert data.labels == ("001", "002", "003", "004")
    assert set(people.subject[held_out_mask(people, recipe().data)]) == {"051", "052"}


def test_its_bundle_is_evaluated_and_the_card_says_so(
    bundle: Bundle, converted: Converted, people: SequenceSet, tmp_path: Path
):
    tested = cut(people.select(np.isin(people.subject, TEST)))
    result = evaluate_reid(OnnxEncoder(bundle, threads=1), tested, draws=10)
    assert result.people == 2
    assert bundle.manifest.clip.frames == FRAMES
    assert all(0 <= one.figure("map") <= 1 for one in result.searches if one.setting.name in ("N-N", "C-N", "B-N"))
    head = heading("reid", bundle, Path("small"), NAME)
    measured = Attached(results=(head | to_json(result),))
    card = write(converted, tmp_path / "again", attached=measured).bundle.card()
    for said in ("2 people, windows of 40 frames", "| N-N, published |", "| B-N, strict |", "mINP"):
        assert said in card


def test_its_bundle_answers_identify(bundle: Bundle, people: SequenceSet, tmp_path: Path):
    encoder = OnnxEncoder(bundle, threads=1)
    library = Library(open_store(tmp_path))
    library.ensure("default", fingerprint=encoder.fingerprint, dim=encoder.dim)
    rows = {name: np.flatnonzero(people.subject == name) for name in ("063", "064")}
    with started(make_app(library, encoder)) as client:
        for name, its in rows.items():
            sequence = as_json(people.sequence(int(its[0])))
            answer = client.post(f"/galleries/default/subjects/{name}/templates", json={"sequence": sequence})
            assert answer.status_code == 201, answer.text
        probe = as_json(people.sequence(int(rows["063"][0])))
        answer = client.post("/identify", json={"sequence": probe})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["bundle"] == bundle.fingerprint
    assert found["searched"] == 2
    assert {candidate["subject"] for candidate in found["candidates"]} == {"063", "064"}
    assert found["candidates"][0]["subject"] == "063"
    assert found["candidates"][0]["score"] == pytest.approx(1, abs=1e-5)
