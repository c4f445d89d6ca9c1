"""Who asks: what a caller may do, and in which galleries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gallery.api_keys import Scope
from model.errors import NotAllowed, UnknownGallery

__all__ = ["LOOPBACK", "Caller", "Scope"]


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

    def reaches_all(self, galleries: Iterable[str] | None) -> bool:
        """Whether all these are reached; None: all there are and will be."""
        if self.galleries is None:
            return True
        return galleries is not None and self.galleries.issuperset(galleries)

    def check_gallery(self, *galleries: str) -> None:
        """Raises `UnknownGallery`, as for one that is not there: who may not enter is not told what there is."""
        for gallery in galleries:
            if not self.reaches(gallery):
                raise UnknownGallery(gallery)

    def reachable(self, galleries: Sequence[str]) -> list[str]:
        return [gallery for gallery in galleries if self.reaches(gallery)]


# Whoever is on this machine, where a deployment asks nobody who they are.
LOOPBACK = Caller("loopback", frozenset({Scope.ADMIN}), name="this machine")
