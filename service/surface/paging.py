"""Lists come in pages: `after` the last one of the page before, at most `limit`; `next` is what to go on after.

Every list that is answered has `next` beside its items (null on the last page); `service/surface/etag.py` makes the
address of the next page of it.
"""

from collections.abc import Sequence
from typing import Annotated, TypeAlias, TypeVar

from fastapi import Query

T = TypeVar("T")

AfterName: TypeAlias = Annotated[str, Query(max_length=128, description="the last one of the page before (`next`)")]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=1000, description="at most so many on a page")]
A_PAGE = 100


def cut(found: Sequence[T], limit: int) -> tuple[Sequence[T], T | None]:
    """A page, and the last of it if there is more behind it. found: one more than `limit`, where there are so many.

    >>> cut([1, 2, 3], 2), cut([1, 2], 2)
    (([1, 2], 2), ([1, 2], None))
    """
    page = found[:limit]
    return page, page[-1] if len(found) > limit else None
