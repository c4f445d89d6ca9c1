"""What is asked, where the body holds nothing but sequences: parameters of the address, and header fields.

The names are those of the JSON body. What is neither a word nor a number is written as JSON: `labels={"view":"090"}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar, get_type_hints
from urllib.parse import parse_qsl

import msgspec

from model.errors import InvalidRequest
from service.bodies.asked import SequenceRequest
from service.choices import plain, with_choices
from service.errors import refused_body

Q = TypeVar("Q", bound=SequenceRequest)

PARAMETERS = 64
# Whatever holds sequences is a body's.
BODY_FIELDS = frozenset({"sequence", "sequences", "people", "others"})
_AS_JSON = (msgspec.inspect.DictType, msgspec.inspect.ListType, msgspec.inspect.StructType)


@dataclass(frozen=True, slots=True)
class Head:
    """What came beside a body. given: the parameters of the address, each as text. headers: lower-case names."""

    given: Mapping[str, str]
    headers: Mapping[bytes, bytes] = field(default_factory=dict)

    def header(self, name: str) -> str | None:
        """The header field, or None where it is not given. Header fields are ASCII here; what is not, fits nothing."""
        found = self.headers.get(name.lower().encode())
        return None if found is None else found.decode("latin-1").strip()


def parameters(query: bytes) -> dict[str, str]:
    """The parameters of an address by name. Raises `InvalidRequest` for one that is given twice, or too many."""
    if not query:
        return {}
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=PARAMETERS, errors="strict")
    except UnicodeDecodeError as error:
        raise InvalidRequest("query", "is not UTF-8, percent-encoded") from error
    except ValueError as error:
        raise InvalidRequest("query", f"has more than {PARAMETERS} parameters") from error
    return unique(pairs)


def unique(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Raises `InvalidRequest` for a name that is there twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        again = next(name for name in names if names.count(name) > 1)
        raise InvalidRequest(again[:64], "is given twice")
    return found


def asked_by(kind: type[Q], given: Mapping[str, str]) -> Q:
    """What is asked by parameters alone. Raises `InvalidRequest`, naming the parameter."""
    found: dict[str, Any] = dict(given)
    for name in found.keys() & fields(kind).keys():
        if fields(kind)[name]:
            found[name] = as_json(name, found[name])
    if wrong := found.keys() & BODY_FIELDS:
        raise InvalidRequest(min(wrong), "goes into the body")
    try:
        return msgspec.convert(found, kind, strict=False)
    except msgspec.ValidationError as error:
        raise refused_body(with_choices(error, kind)) from error


def each_by_itself(kind: type[SequenceRequest], given: Mapping[str, str]) -> dict[str, Any]:
    """Parameters as values of the fields that they name, to be put into a body that holds the others.

    Raises `InvalidRequest`, naming the parameter."""
    hints = _hints(kind)
    found: dict[str, Any] = {}
    for name, text in given.items():
        if name in BODY_FIELDS or name not in hints:
            raise InvalidRequest(name[:64], "is no parameter of this request")
        value = as_json(name, text) if fields(kind)[name] else text
        try:
            found[name] = msgspec.convert(value, hints[name], strict=False)
        except msgspec.ValidationError as error:
            raise InvalidRequest(name, str(error)) from error
    return found


def as_json(name: str, text: str) -> Any:
    """Raises `InvalidRequest` for what is not JSON."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidRequest(name, 'is written as JSON, such as ["a"] or {"view": "090"}') from error


@cache
def fields(kind: type[SequenceRequest]) -> dict[str, bool]:
    """The fields of a body, by name, and whether each is written as JSON in an address."""
    described = msgspec.inspect.type_info(kind)
    assert isinstance(described, msgspec.inspect.StructType)
    return {each.encode_name: _structured(each.type) for each in described.fields}


@cache
def _hints(kind: type[SequenceRequest]) -> dict[str, Any]:
    """The types of the fields, by name."""
    types = get_type_hints(kind, include_extras=True)
    return {each.encode_name: types[each.name] for each in msgspec.structs.fields(kind)}


def _structured(kind: msgspec.inspect.Type) -> bool:
    return any(isinstance(each, _AS_JSON) for each in plain(kind))
