"""What `gaitkeeper enroll` says of what became of one file, or of thousands."""

from collections import Counter
from dataclasses import dataclass, field

from gallery.enroll import Result

REFUSALS_SHOWN = 20


@dataclass(slots=True)
class Report:
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

    def say_of_one(self, gallery: str) -> None:
        """What became of one file that was not refused."""
        from gallery.printing import out

        (result,) = self.results
        if result.status == "enrolled":
            line = f"enrolled {result.subject} in gallery {gallery} (template {result.template})"
        else:
            line = f"{result.subject} has this recording in gallery {gallery} already; nothing was added"
        for each in (line, *(f"note: {note}" for note in result.notes)):
            out.print(each, markup=False, soft_wrap=True)

    def say(self) -> None:
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
