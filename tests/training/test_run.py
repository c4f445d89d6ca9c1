import json

import pytest
import torch

from model.errors import InvalidRecipe
from model.network.aclnet import AclNet
from tests.training.small import small_recipe
from training.run import begin_run, epoch_file, finished, load_run, read_about, save_weights, write_about


@pytest.fixture
def run(tmp_path):
    """A run of two epochs that was validated once."""
    recipe = small_recipe(optim={"epochs": 2, "keep_epochs": [1]}).with_classes(2)
    begin_run(tmp_path, recipe, ("a", "b"))
    save_weights(tmp_path, AclNet(recipe.network))
    return tmp_path


def test_a_run_is_finished_when_it_says_why_it_ended(run):
    assert not finished(run)
    write_about(run, read_about(run) | {"ended": {"epochs": 1, "why": "patience"}})
    assert finished(run)


def test_a_run_that_never_said_is_finished_with_its_last_epoch(run):
    about = read_about(run)
    del about["ended"]
    write_about(run, about | {"epochs": [{"epoch": 0}]})
    assert not finished(run)
    write_about(run, about | {"epochs": [{"epoch": 0}, {"epoch": 1}]})
    assert finished(run)


@pytest.mark.parametrize("name", ["recipe.toml", "run.json", "labels.json", "weights.pt"])
def test_nothing_is_finished_that_lacks_a_file(run, name):
    write_about(run, read_about(run) | {"ended": {"epochs": 2, "why": "epochs"}})
    assert finished(run)
    (run / name).unlink()
    assert not finished(run)
    with pytest.raises(InvalidRecipe, match=f"{name} is missing"):
        load_run(run)


def test_a_kept_epoch_is_loaded_by_its_number(run):
    network = AclNet(load_run(run).recipe.network)
    save_weights(run, network, epoch_file(1))
    kept = load_run(run, epoch=1).network.state_dict()
    assert all(torch.equal(kept[name], tensor) for name, tensor in network.state_dict().items())
    with pytest.raises(InvalidRecipe, match=r"epoch-002\.pt is missing"):
        load_run(run, epoch=2)


def test_tensors_that_are_missing_unknown_or_of_another_shape_are_named(run):
    tensors = torch.load(run / "weights.pt", weights_only=True)
    weight = tensors.pop("head.weight")
    torch.save(tensors | {"head.wait": weight, "normalise.bias": torch.zeros(99)}, run / "weights.pt")
    with pytest.raises(InvalidRecipe) as caught:
        load_run(run)
    assert "1 missing (head.weight)" in str(caught.value)
    assert "unknown (head.wait" in str(caught.value)


def test_weights_of_another_shape_are_named(run):
    tensors = torch.load(run / "weights.pt", weights_only=True)
    torch.save(tensors | {"head.weight": torch.zeros(5, 16)}, run / "weights.pt")
    with pytest.raises(InvalidRecipe, match=r"1 of another shape \(head.weight\)"):
        load_run(run)


@pytest.mark.parametrize("content", [b"", b"not weights", b"PK\x03\x04 cut off"])
def test_damaged_weights_are_one_clear_error(run, content):
    (run / "weights.pt").write_bytes(content)
    with pytest.raises(InvalidRecipe, match="damaged"):
        load_run(run)


def test_a_file_that_is_cut_off_is_one_clear_error(run):
    content = (run / "weights.pt").read_bytes()
    (run / "weights.pt").write_bytes(content[: len(content) // 2])
    with pytest.raises(InvalidRecipe, match="damaged"):
        load_run(run)


def test_a_program_in_place_of_weights_is_not_run(run, tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "written"), "w"))

    (run / "weights.pt").write_bytes(pickle.dumps(Evil(), protocol=2))
    with pytest.raises(InvalidRecipe):
        load_run(run)
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize(("name", "content"), [("run.json", "{"), ("run.json", "[]"), ("labels.json", '{"a": 1}')])
def test_what_a_run_did_not_write_is_named(run, name, content):
    (run / name).write_text(content)
    with pytest.raises(InvalidRecipe, match=name):
        load_run(run)


def test_names_and_classes_are_as_many(run):
    (run / "labels.json").write_text(json.dumps(["a", "b", "c"]))
    with pytest.raises(InvalidRecipe, match=r"names 3 classes, recipe.toml 2"):
        load_run(run)


def test_what_is_interrupted_while_it_is_written_leaves_nothing(run, monkeypatch):
    before = (run / "weights.pt").read_bytes()

    def interrupted(_, path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_weights(run, load_run(run).network)
    assert (run / "weights.pt").read_bytes() == before
    assert not list(run.glob(".*.part"))
