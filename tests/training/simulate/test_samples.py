"""The demo's samples, as the service will read them."""

from pathlib import Path

import pytest

from model.quality import assess
from model.readers import only_track, read
from service.samples import Samples
from training.simulate.samples import ENROLLED, STRANGERS, Sample, motion_capture_samples, walker_samples, write_samples


@pytest.fixture(scope="module")
def walkers() -> list[Sample]:
    return walker_samples()


def test_walkers_are_enrolled_asked_about_and_joined_by_strangers(walkers: list[Sample]) -> None:
    samples = walkers
    enrolled = {sample.subject for sample in samples if sample.role == "enroll"}
    probes = [sample.subject for sample in samples if sample.role == "probe"]
    assert len(enrolled) == ENROLLED >= 10
    assert probes.count(None) == STRANGERS >= 10
    assert set(probes) - {None} == enrolled
    assert all(assess(sample.sequence).usable for sample in samples)


def test_no_probe_was_enrolled(walkers: list[Sample]) -> None:
    files = [sample.file for sample in walkers]
    assert len(set(files)) == len(files)


def test_the_service_reads_what_was_written(tmp_path: Path, walkers: list[Sample]) -> None:
    first = next(sample for sample in walkers if sample.role == "probe")
    write_samples(tmp_path / "walkers", "a test", [first])
    [(path, entry)] = Samples(tmp_path).of("probe")
    assert (entry.subject, entry.labels) == (first.subject, first.labels)
    assert only_track(read(path)).sequence.joints.tolist() == first.sequence.joints.tolist()


def test_filmed_walks_are_strangers_too(walkers: list[Sample]) -> None:
    sequence = walkers[0].sequence
    samples: list[Sample] = motion_capture_samples({"walk-1": sequence, "jump-1": sequence})
    assert [(s.file, s.role, s.action) for s in samples] == [
        ("walk-1.json", "action", "walk"),
        ("walk-1.json", "probe", None),
        ("jump-1.json", "action", "jump"),
    ]
