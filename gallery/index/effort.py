"""How hard a search looks before it compares rows exactly."""

from dataclasses import dataclass

# Rows that are compared exactly for each answer, at least.
ROWS_AN_ANSWER = 8
# The effort is measured for ten answers, and does for this many.
ANSWERS = 64


@dataclass(frozen=True, slots=True)
class Effort:
    """rows: how many are looked at exactly for a probe; share: of all rows, how many codes are scanned for it."""

    rows: int
    share: float

    def of(self, k: int) -> "Effort":
        """The effort for k answers: it is measured for ten."""
        return Effort(max(self.rows, ROWS_AN_ANSWER * k), min(1.0, self.share * max(1.0, (k / ANSWERS) ** 0.5)))
