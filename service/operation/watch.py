"""Watches how decisions and probes move away from what each gallery's calibration was measured on.

A decision costs a row of numbers; what they mean is found out when somebody asks. Scores are held against the
histograms of the calibration that the decision rested on: the best score of somebody else (of a match its runner-up,
otherwise the best one) and the scores of matches. Of quality a calibration keeps nothing, so the first `LEARNED` probes
that come under it are what the later ones are held against; their deciles are kept beside the data, and hold nobody's
body.
"""

import json
import threading
from collections import OrderedDict, deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gallery.calibration import Calibration
from gallery.library import Library
from gallery.template import Decision, Outcome
from service.operation.drift import LEAST, Reference, Scores, Shift, State, Window

IMPOSTOR, MATED = "impostor_scores", "mated_scores"
MEASURES = ("mean_confidence", "missing_share", "leg_alternation")
LEARNED = 500
GALLERIES = 256
UNSEEN = 4096
FOLDER = "drift"


@dataclass(frozen=True, slots=True)
class _Noted:
    """What is watched of a decision, and nobody's name. measures: of `MEASURES`, as far as there are any."""

    gallery: str
    calibration: str | None
    outcome: Outcome
    score: float | None
    threshold: float | None
    margin: float | None
    searched: int
    measures: tuple[float | None, ...]


@dataclass(slots=True)
class _Watched:
    """One gallery under one calibration."""

    calibration: str | None
    scores: Scores | None
    windows: dict[str, Window]
    learning: dict[str, list[float]] = field(default_factory=dict)


class Watch:
    """Of all galleries of a library; any thread may call it."""

    def __init__(self, library: Library, learned: int = LEARNED) -> None:
        self._library, self._learned = library, learned
        self._lock = threading.Lock()
        self._unseen: deque[_Noted] = deque(maxlen=UNSEEN)
        self._galleries: OrderedDict[int, _Watched] = OrderedDict()

    def decided(self, gallery: str, decision: Decision, measures: Mapping[str, float]) -> None:
        """Note a decision of /identify, and the quality of its probe (`Quality.measures`)."""
        held = decision.threshold, decision.margin, decision.searched
        kept = tuple(map(measures.get, MEASURES))
        self._unseen.append(_Noted(gallery, decision.calibration, decision.outcome, decision.score, *held, kept))

    def shifts(self) -> dict[int, dict[str, Shift]]:
        """By key of the gallery and by what is watched, as far as anything was noted."""
        with self._lock:
            keys = {cache.name: key for key, cache in self._library.views.open.items() if cache.view is not None}
            while self._unseen:
                noted = self._unseen.popleft()
                if (key := keys.get(noted.gallery)) is not None:
                    self._take(self._watched(key), key, noted)
            gone = self._galleries.keys() - set(keys.values())
            for key in gone:
                del self._galleries[key]
            return {key: self._found(watched) for key, watched in self._galleries.items()}

    def _found(self, watched: _Watched) -> dict[str, Shift]:
        found = {name: window.shift() for name, window in watched.windows.items()}
        return {name: Shift(State.FEW, None, len(values)) for name, values in watched.learning.items()} | found

    def _watched(self, key: int) -> _Watched:
        calibration = self._calibration(key)
        name = None if calibration is None else calibration.id
        found = self._galleries.get(key)
        if found is None or found.calibration != name:
            found = self._galleries[key] = self._begun(key, calibration)
            while len(self._galleries) > GALLERIES:
                self._galleries.popitem(last=False)
        self._galleries.move_to_end(key)
        return found

    def _calibration(self, key: int) -> Calibration | None:
        view = self._library.views.open[key].view
        if view is None:
            return None
        return view.calibration or self._library.prior(view.fingerprint)

    def _begun(self, key: int, calibration: Calibration | None) -> _Watched:
        windows = self._remembered(key, calibration)
        learning: dict[str, list[float]] = {name: [] for name in MEASURES if name not in windows}
        if calibration is None or calibration.histogram is None:
            return _Watched(None if calibration is None else calibration.id, None, windows, learning)
        worth = calibration.worth or calibration.searches or calibration.subjects
        windows |= {name: Window(Reference.uniform(worth)) for name in (IMPOSTOR, MATED)}
        scores = Scores(calibration.histogram, max(calibration.sizes))
        return _Watched(calibration.id, scores, windows, learning)

    def _take(self, watched: _Watched, key: int, noted: _Noted) -> None:
        for name, value in zip(MEASURES, noted.measures, strict=True):
            if value is not None and noted.outcome is not Outcome.ABSTAIN:
                self._measure(watched, key, name, value)
        if watched.scores is None or noted.calibration != watched.calibration or noted.score is None:
            return
        other, others = noted.score, noted.searched
        if noted.outcome is Outcome.MATCH:
            if noted.threshold is not None:
                within = watched.scores.mated(noted.score, noted.threshold)
                if within is not None:
                    watched.windows[MATED].add(within)
            if noted.margin is None:
                return
            other, others = noted.score - noted.margin, noted.searched - 1
        among = watched.scores.impostor(other, others)
        if among is not None:
            watched.windows[IMPOSTOR].add(among)

    def _measure(self, watched: _Watched, key: int, name: str, value: float) -> None:
        if name in watched.windows:
            watched.windows[name].add(value)
            return
        learning = watched.learning[name]
        learning.append(value)
        if len(learning) >= max(self._learned, LEAST):
            watched.windows[name] = Window(Reference.measured(learning))
            del watched.learning[name]
            self._remember(key, watched)

    def _path(self, key: int) -> Path:
        return self._library.store.directory / FOLDER / f"{key}.json"

    def _remember(self, key: int, watched: _Watched) -> None:
        kept = {
            name: {"edges": window.reference.edges, "shares": window.reference.shares, "worth": window.reference.worth}
            for name, window in watched.windows.items()
            if name in MEASURES
        }
        path = self._path(key)
        # Lost, it is learned again.
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, exist_ok=True)
            beside = path.with_suffix(".part")
            beside.write_text(json.dumps({"calibration": watched.calibration, "measures": kept}))
            beside.replace(path)

    def _remembered(self, key: int, calibration: Calibration | None) -> dict[str, Window]:
        name = None if calibration is None else calibration.id
        try:
            content = json.loads(self._path(key).read_text())
            if content["calibration"] != name:
                return {}
            return {
                measure: Window(Reference(tuple(kept["edges"]), tuple(kept["shares"]), float(kept["worth"])))
                for measure, kept in content["measures"].items()
                if measure in MEASURES and len(kept["shares"]) == len(kept["edges"]) + 1
            }
        except (OSError, ValueError, KeyError, TypeError):
            return {}
