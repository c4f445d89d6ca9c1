"""What makes fuzzing reach further than a schema: names that are there, and sequences of people who walk."""

import re
from collections.abc import Sequence
from typing import Any
from zlib import crc32

import schemathesis
from schemathesis.core.parameters import ParameterLocation

from tests.fuzz.application import GALLERIES, SUBJECTS, Served
from tests.service.conftest import person

_FILES = "multipart/form-data"
_ONE_OF_SEVERAL = "/properties/sequences/items"
_TOUCHES = re.compile(r"^/galleries/\{gallery\}(/subjects/\{subject\}(/merge|/move)?)?$")
_DEADLINE = "X-Deadline-Ms"
_WRONG_HEADERS = re.compile(r"parameters? (?P<names>`[\w-]+`(?:, `[\w-]+`)*) in header")
_OF_ARRAYS = {"x-layout", "x-fps", "x-units", "x-aspect", "x-channels", "x-shape"}
_ARRAYS = {"application/octet-stream", "application/x-npy"}
_NAMES = {"gallery": GALLERIES, "subject": SUBJECTS, "into": SUBJECTS, "name": ("entrance", "w01-probe", "report")}
_SEQUENCES = tuple(
    person(subject, seed=seed, frames=frames) for subject, seed, frames in ((0, 0, 40), (1, 1, 60), (2, 0, 9))
)


def install(served: Served) -> None:
    """Register the hooks with schemathesis, for this service."""
    schemathesis.hooks.unregister_all()
    for each in (map_path_parameters, map_headers, filter_failure):
        schemathesis.hook(each)

    @schemathesis.hook
    def before_call(context: Any, case: Any, kwargs: Any) -> None:
        """The key that asks is not taken away from itself: all else would be 401. A body that fits gets further."""
        del context, kwargs
        if isinstance(case.body, dict) and not (case.meta and case.meta.is_negative_at(ParameterLocation.BODY)):
            case.body = _of_somebody(case.body)
        if case.method != "GET" and case.path_parameters.get("key") == served.key_id:
            case.path_parameters["key"] = served.key_id[::-1]

    @schemathesis.hook
    def after_call(context: Any, case: Any, response: Any) -> None:
        """Whoever was erased, moved, merged or renamed comes back, so that there is somebody to ask about."""
        del context
        if case.method in ("DELETE", "PATCH", "POST") and response.status_code < 300 and _TOUCHES.search(case.path):
            served.fill()


def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Two of three times somebody who is there, where a name is asked for; numbers and ids come of links."""
    del context
    if isinstance(path_parameters, dict):
        for name in _NAMES.keys() & path_parameters.keys():
            path_parameters[name] = _mostly(_NAMES[name], path_parameters[name])
    return path_parameters


def map_headers(context: Any, headers: Any) -> Any:
    """A deadline that is one is mostly so far away that it is kept: the shortest is the first that fits the schema."""
    del context
    if isinstance(headers, dict) and str(headers.get(_DEADLINE)) == "1":
        headers[_DEADLINE] = _mostly(("60000",), headers[_DEADLINE])
    return headers


def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """What an array is, is said in header fields, and those are not looked at beside a body that says so itself; and of
    several sequences one that is wrong has its problem in the answer."""
    del context, response
    of_files = case.media_type == _FILES and "Invalid data should" in str(failure.message)
    if of_files or _ONE_OF_SEVERAL in str(failure.message):
        return False
    wrong = _WRONG_HEADERS.search(str(failure.message))
    names = set(wrong["names"].lower().replace("`", "").split(", ")) if wrong else {""}
    return not (names <= _OF_ARRAYS and case.media_type not in _ARRAYS)


def _of_somebody(body: dict[str, Any]) -> dict[str, Any]:
    """Two of three times the sequence of a body is one that a camera could have seen, of somebody who is there."""
    found = dict(body)
    if isinstance(body.get("sequence"), dict):
        found["sequence"] = _mostly(_SEQUENCES, body["sequence"])
    for name in ("gallery", "subject", "into"):
        if isinstance(body.get(name), str):
            found[name] = _mostly(_NAMES[name], body[name])
    return found


def _mostly(known: Sequence[Any], made: Any) -> Any:
    """One that is known or, one of three times, what was made: by what that is, so that it comes out the same again."""
    drawn = crc32(repr(made).encode("utf-8", "backslashreplace"))
    return made if drawn % 3 == 0 else known[drawn // 3 % len(known)]
