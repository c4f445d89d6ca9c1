"""A finished run tested by its recipe's [test]: RUN/report.json, and of actions RUN/probabilities.npz."""

from pathlib import Path
from typing import Any

from model.runtime import Classifier
from training.data.action_set import ActionSet
from training.data.arrays import Strings
from training.data.occlude import Part
from training.evaluate.actions import evaluate_actions
from training.evaluate.occlusion import evaluate_occluded
from training.evaluate.progress import bar
from training.evaluate.sources import is_simulated
from training.protocols.actions import groups_of, protocol_of
from training.recipe import Recipe
from training.reproduce.experiment import Experiment
from training.reproduce.fitted import as_recordings, at_most, parameters, train_accuracy
from training.reproduce.identity import measure_identity
from training.reproduce.report import (
    PROBABILITIES,
    DataAbout,
    Report,
    Task,
    digest,
    now,
    report_of_its_weights,
    write_report,
)
from training.run import WEIGHTS, Run, load_run
from training.split import load_test_data
from training.torch_runtime import TorchClassifier


def report_of(experiment: Experiment, run: Path, *, occlusion: bool = False) -> Report:
    """The run's report: the one that is there if it is of these weights and this test; else the run is tested.

    occlusion: without each part of the body, too. Raises `InvalidDataSet` where there is nothing to test on.
    """
    report = current_report(experiment, run)
    if report is None:
        report = _test(experiment, run)
        write_report(run, report)
    if occlusion and report.occlusion is None:
        report = report.model_copy(update={"occlusion": _occluded(experiment, run)})
        write_report(run, report)
    return report


def current_report(experiment: Experiment, run: Path) -> Report | None:
    """The report that lies in the run's directory, if it is of the weights there and of the test that is wanted."""
    report = report_of_its_weights(run)
    if report is None or report.test != wanted_test(experiment):
        return None
    return report if report.task != "actions" or (run / PROBABILITIES).is_file() else None


def wanted_test(experiment: Experiment) -> dict[str, Any]:
    """What decides a test, as a report keeps it."""
    about = experiment.recipe.test.model_dump(mode="json")
    del about["paths"]
    return about


def task_of(recipe: Recipe) -> Task:
    match recipe.test.protocol:
        case None:
            return "actions"
        case "reid":
            return "reid"
        case _:
            return "gait"


def _test(experiment: Experiment, path: Path) -> Report:
    run, recipe = load_run(path), experiment.recipe
    classifier, task = TorchClassifier(run), task_of(recipe)
    figures = _actions(experiment, path, classifier) if task == "actions" else measure_identity(path, recipe).figures
    place = (recipe.test.paths or recipe.data.paths)[0]
    with bar("training set") as line:
        fitted = train_accuracy(classifier, recipe, progress=line.of)
    return Report(
        task=task, recipe=recipe.name, variant=experiment.variant, seed=recipe.seed, commit=run.about.get("commit"),
        weights=digest(path / WEIGHTS), parameters=parameters(run),
        data=DataAbout(name=place.name, kind=recipe.data.kind, simulated=is_simulated(place)),
        test=wanted_test(experiment), dose=experiment.dose, changes=experiment.changes, selected_on=_selected_on(run),
        train_accuracy=fitted, figures=figures, made=now(),
    )  # fmt: skip


def _selected_on(run: Run) -> Any:
    """What chose the weights; `last` where nothing was held out."""
    if run.recipe.validation.on == "test":
        return "test"
    best = run.about.get("best") or {}
    return "held-out" if best.get("held_out") else "last"


def _actions(experiment: Experiment, path: Path, classifier: Classifier) -> dict[str, Any]:
    data = _data(experiment)
    with bar("classifying") as line:
        result = evaluate_actions(classifier, data, groups=_groups(experiment, data), progress=line.of(len(data)))
    result.save(path / PROBABILITIES)
    return result.to_json()


def _occluded(experiment: Experiment, path: Path) -> dict[str, dict[str, Any]]:
    """Accuracy without each part, by what was trained on whole skeletons (Table IX)."""
    data = _data(experiment)
    with bar("without parts of the body") as line:
        told = line.of(len(Part) * len(data))
        found = evaluate_occluded(TorchClassifier(load_run(path)), data, progress=told)
    return {
        part.value: {"accuracy": result.accuracy, "mean_class_accuracy": result.mean_by_class}
        for part, result in found.items()
    }


def _data(experiment: Experiment) -> ActionSet:
    """What is tested on; of a smaller dose as many recordings as trained, spread over all."""
    data = as_recordings(load_test_data(experiment.recipe))
    limit = experiment.dose.limit if experiment.dose else None
    return data if limit is None else at_most(data, limit)


def _groups(experiment: Experiment, data: ActionSet) -> Strings:
    """What was recorded together, for intervals: as the data set's own test has it."""
    recipe = experiment.recipe
    official = protocol_of(recipe.data.kind, recipe.test.split) if recipe.data.kind and recipe.test.split else None
    return groups_of(data, official)
