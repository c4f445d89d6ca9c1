"""What `gaitkeeper enroll` says of what became of one file, or of thousands."""

from collections import Counter
from dataclasses import dataclass, field

from gallery.duplicates import Screen
from gallery.enroll import Result

REFUSALS_SHOWN = 20


@dataclass(slots=True)
class Report:
    """The results so far, and how many of each kind."""

    results: list[Result] = field(default_factory=list)
    status: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        self.results.append(result)
        self.status[result.status] += 1

    @property
    def refused(self) -> list[Result]:
        return [result for result in self.results if result.status == "refused"]

    def counts(self) -> dict[str, int]:
        return {status: self.status[status] for status in ("enrolled", "repeated", "refused")}

    def summary(self) -> str:
        counts = self.counts()
        return f"{counts['enrolled']} enrolled, {counts['repeated']} there already, {counts['refused']} refused"

    def told(self, gallery: str, screen: Screen) -> dict[str, object]:
        """All of it, for a program."""
        return {"gallery": gallery, "duplicates": screen.mode.value, **self.counts(), "results": self.results}

    def say(self, gallery: str, screen: Screen, *, of_one: bool) -> None:
        """The same for people; of_one: of a single file."""
        from gallery.printing import err

        if of_one:
            self._say_of_one(gallery)
        else:
            self._say_of_all()
        if screen.note and self.status["enrolled"]:
            err.print(f"note: {screen.note}", markup=False, soft_wrap=True)

    def _say_of_one(self, gallery: str) -> None:
        from gallery.printing import err, out

        (result,) = self.results
        if result.status == "refused":
            err.print(f"error: {result.detail}", markup=False, soft_wrap=True)
            return
        if result.status == "enrolled":
            line = f"enrolled {result.subject} in gallery {gallery} (template {result.template})"
        else:
            line = f"{result.subject} has this recording in gallery {gallery} already; nothing was added"
        for each in (line, *(f"note: {note}" for note in result.notes)):
            out.print(each, markup=False, soft_wrap=True)

    def _say_of_all(self) -> None:
        from gallery.printing import err, out

        out.print(self.summary())
        refused = self.refused
        if refused:
            why = Counter(reason for result in refused for reason in result.reasons)
            err.print("refused: " + ", ".join(f"{count} × {reason}" for reason, count in why.most_common()))
            for result in refused[:REFUSALS_SHOWN]:
                err.print(f"  {result.name} ({result.subject}): {result.detail}", markup=False, soft_wrap=True)
            if len(refused) > REFUSALS_SHOWN:
                err.print(f"and {len(refused) - REFUSALS_SHOWN} more; --json lists all of them")
