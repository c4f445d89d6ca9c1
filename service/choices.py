"""What a refusal leaves out: where a word was none of those that may stand in its place, which these are."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec.inspect import (
    DictType,
    EnumType,
    ListType,
    LiteralType,
    Metadata,
    StructType,
    Type,
    UnionType,
    type_info,
)

_WRONG = re.compile(r"^Invalid enum value .* - at `\$(?P<path>.*)`$", re.DOTALL)
# As msgspec writes where something is: `.units`, `[0]`, `[...]`.
_STEP = re.compile(r"\.(?P<name>\w+)|\[[^\]]*\]")


def with_choices(error: msgspec.ValidationError, kind: Any) -> msgspec.ValidationError:
    """The error, which `kind` raised, with the words that would be right.

    >>> from typing import Literal
    >>> class Asked(msgspec.Struct):
    ...     units: Literal["pixels", "metres"] | None
    >>> try:
    ...     msgspec.json.decode('{"units": "feet"}', type=Asked)
    ... except msgspec.ValidationError as error:
    ...     print(with_choices(error, Asked))
    Invalid enum value 'feet': must be one of metres, pixels - at `$.units`
    """
    found = _WRONG.match(str(error))
    words = sorted(_words(_at(type_info(kind), found["path"]))) if found else []
    if not words:
        return error
    said, _, where = str(error).rpartition(" - at ")
    return msgspec.ValidationError(f"{said}: must be one of {', '.join(words)} - at {where}")


def _at(kind: Type, path: str) -> Iterable[Type]:
    """The types that may be at `path` of `kind`."""
    here = [kind]
    for step in _STEP.finditer(path):
        here = [inner for each in here for inner in _inside(each, step["name"])]
    return here


def _inside(kind: Type, name: str | None) -> Iterator[Type]:
    """name: of a field; None: an item."""
    for each in plain(kind):
        if isinstance(each, StructType) and name is not None:
            yield from (field.type for field in each.fields if field.encode_name == name)
        elif isinstance(each, ListType) and name is None:
            yield each.item_type
        elif isinstance(each, DictType) and name is None:
            yield each.value_type


def plain(kind: Type) -> Iterator[Type]:
    """The types that it may be of, without their bounds."""
    if isinstance(kind, Metadata):
        yield from plain(kind.type)
    elif isinstance(kind, UnionType):
        for each in kind.types:
            yield from plain(each)
    else:
        yield kind


def _words(kinds: Iterable[Type]) -> set[str]:
    words: set[str] = set()
    for kind in kinds:
        for each in plain(kind):
            if isinstance(each, LiteralType):
                words.update(map(str, each.values))
            elif isinstance(each, EnumType):
                words.update(str(member.value) for member in each.cls)
    return words
