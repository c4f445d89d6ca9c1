import numpy as np
import pytest

from gallery.template import Candidate, Decision, NewTemplate, Outcome, check_id, check_labels
from model.errors import InvalidRequest

UNIT = np.array([0.6, 0.8], np.float32)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a" * 129,
        "a\x00b",
        "line\nbreak",
        "tab\t",
        " ann",
        "ann ",
        "a\u200bb",
        "\ud800",
        "e\u0301",
        "right\u202eleft",
        "a/b",
        ".",
        "..",
        "a\ufffdb",
    ],
)
def test_a_name_that_cannot_be_seen_or_addressed_or_is_too_long_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="subject"):
        check_id("subject", name)


@pytest.mark.parametrize("name", ["ann", "a" * 128, "Łukasz Żak", "a.b", "50 %", "名前", "7"])
def test_a_plain_name_is_taken_as_it_is(name: str) -> None:
    assert check_id("subject", name) == name


@pytest.mark.parametrize(
    "labels",
    [{f"k{i}": "v" for i in range(33)}, {"k": "v" * 257}, {"k": "a\nb"}, {"": "v"}, {"k" * 129: "v"}],
)
def test_labels_that_are_too_many_or_too_long_are_refused(labels: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest, match="labels"):
        check_labels(labels)


@pytest.mark.parametrize(
    "embedding",
    [[1.0, 1.0], [0.0, 0.0], [np.nan, 1.0], [np.inf, 0.0], [[0.6, 0.8]], []],
)
def test_an_embedding_that_is_no_unit_vector_is_refused(embedding: list[float]) -> None:
    with pytest.raises(InvalidRequest, match="embedding"):
        NewTemplate("ann", np.array(embedding, np.float32))


def test_a_template_keeps_its_own_copy_of_the_embedding_and_labels() -> None:
    embedding, labels = UNIT.copy(), {"view": "090"}
    template = NewTemplate("ann", embedding, labels)
    embedding[0], labels["view"] = 9, "000"
    assert template.embedding.tolist() == UNIT.tolist()
    assert template.labels == {"view": "090"}
    assert not template.embedding.flags.writeable


def test_a_decision_that_contradicts_itself_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="match names"):
        Decision(Outcome.MATCH)
    with pytest.raises(ValueError, match="match names"):
        Decision(Outcome.NO_MATCH, subject="ann")
    with pytest.raises(ValueError, match="says why"):
        Decision(Outcome.ABSTAIN)
    with pytest.raises(ValueError, match="best first"):
        Decision(Outcome.NO_MATCH, candidates=(Candidate("a", 0.1, 1), Candidate("b", 0.2, 2)))
