"""Who asks: what a caller may do, and in which galleries."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from model.errors import NotAllowed, UnknownGallery


class Scope(StrEnum):
    """What a key may be for.

    identify: ask who it is, and what they do. enroll: add templates, and see whom there is. manage: change and erase
    subjects, galleries and their calibrations. audit: read the audit log, receipts and operation. admin: keys, models;
    and all else. embed: get embeddings. investigate: get names and full scores below the threshold, and skeletons.
    """

    IDENTIFY = "identify"
    ENROLL = "enroll"
    MANAGE = "manage"
    AUDIT = "audit"
    ADMIN = "admin"
    EMBED = "embed"
    INVESTIGATE = "investigate"


@dataclass(frozen=True, slots=True)
class Caller:
    """id: as the audit log has it, such as `key:3kf9x2`. galleries: their names; None: all of them."""

    id: str
    scopes: frozenset[Scope]
    galleries: frozenset[str] | None = None
    name: str = ""

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def check(self, *scopes: Scope) -> None:
        """Raises `NotAllowed` unless the caller has one of these scopes."""
        if not any(self.may(scope) for scope in scopes):
            raise NotAllowed(scopes)

    def reaches(self, gallery: str) -> bool:
        return self.galleries is None or gallery in self.galleries

    def check_gallery(self, *galleries: str) -> None:
        """Raises `UnknownGallery`, as for one that is not there: who may not enter is not told what there is."""
        for gallery in galleries:
            if not self.reaches(gallery):
                raise UnknownGallery(gallery)

    def reachable(self, galleries: Sequence[str]) -> list[str]:
        return [gallery for gallery in galleries if self.reaches(gallery)]


# Whoever is on this machine, where a deployment asks nobody who they are.
LOOPBACK = Caller("loopback", frozenset({Scope.ADMIN}), name="this machine")
