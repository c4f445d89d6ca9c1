"""A run's report: what its network scored, on what, and what keeps that from being compared.

RUN/report.json is written after the run was tested, and RUN/probabilities.npz (of actions) before it. Whatever is
printed as ours comes from these files and from nothing else.
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from model.errors import InvalidDataSet
from training.evaluate.results import rounded, to_text, write_text
from training.reproduce.table import SIMULATED

REPORT, PROBABILITIES, WEIGHTS = "report.json", "probabilities.npz", "weights.pt"

Task = Literal["actions", "gait", "reid"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataAbout(_Part):
    """name: of the file or folder. kind: of data set, where the recipe names it."""

    name: str
    kind: str | None = None
    simulated: bool = False


class Dose(_Part):
    """Less than the recipe asks for. epochs: (trained, asked for); limit: recordings at most, to train and to test."""

    epochs: tuple[int, int]
    limit: int | None = None


class Report(_Part):
    """One run's report. weights: sha256 of weights.pt, so that figures of other weights are never taken for its own.

    test: the recipe's [test] as it was tested. train_accuracy: share of training recordings (2,000 at most) that the
    kept network names, unchanged and without what was held out; None where it names no classes. figures: of the
    evaluation, shares in [0, 1]. occlusion: by body part; None where it was not tested. changes: settings that were
    given beside the recipe.
    """

    format: Literal[1] = 1
    task: Task
    recipe: str
    variant: str
    seed: int
    commit: str | None
    weights: str
    parameters: int
    data: DataAbout
    test: dict[str, Any]
    dose: Dose | None
    changes: tuple[str, ...] = ()
    selected_on: Literal["held-out", "test", "last"]
    train_accuracy: float | None
    figures: dict[str, Any]
    occlusion: dict[str, dict[str, Any]] | None = None
    made: str

    @property
    def score(self) -> float:
        """The one figure to compare by, a share: accuracy, or the mean rank-1 of the protocol's figures."""
        match self.task:
            case "actions":
                return float(self.figures["accuracy"])
            case "gait":
                return float(np.mean([table["rank1"] for table in self.figures["tables"]]))
            case "reid":
                return float(np.mean(list(published_rank1(self).values())))

    @property
    def marks(self) -> tuple[str, ...]:
        """What keeps the figures from being compared with the paper's, in words."""
        out = []
        if self.data.simulated:
            out.append(SIMULATED)
        if self.dose and self.dose.epochs[0] != self.dose.epochs[1]:
            out.append(f"a smaller dose: {self.dose.epochs[0]} of {self.dose.epochs[1]} epochs")
        if self.dose and self.dose.limit:
            out.append(f"a smaller dose: at most {self.dose.limit} recordings")
        if self.changes:
            out.append(f"the recipe was changed: {', '.join(self.changes)}")
        if self.selected_on == "test":
            out.append("checkpoint chosen by the test set")
        return tuple(out)


def published_rank1(report: Report) -> dict[str, float]:
    """Of a report on re-identification: rank-1 of each setting as it is published, as {"N-N": 0.8}."""
    rows = (row for row in report.figures["settings"] if row["variant"] == "published")
    return {row["setting"]: row["rank1"] for row in rows}


def read_report(run: Path) -> Report | None:
    """The report in a run's directory; None where there is none. Raises `InvalidDataSet` for a damaged one."""
    path = run / REPORT
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidDataSet(str(path), f"cannot be read ({error})") from error
    try:
        return Report.model_validate_json(text)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        reason = f"is no report ({place}: {error.errors()[0]['msg']}); delete it to test again"
        raise InvalidDataSet(str(path), reason) from error


def report_of_its_weights(run: Path) -> Report | None:
    """The report in a run's directory, unless the weights beside it are others. Raises as `read_report`."""
    report, weights = read_report(run), run / WEIGHTS
    return report if report is None or not weights.is_file() or report.weights == digest(weights) else None


def write_report(run: Path, report: Report) -> None:
    content: Mapping[str, Any] = report.model_dump(mode="json")
    if report.occlusion is None:
        content = {key: value for key, value in content.items() if key != "occlusion"}
    write_text(run / REPORT, to_text(rounded(content)))


def digest(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
