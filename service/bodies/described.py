"""What the documentation says of bodies that hold sequences: every media type, and what is beside them."""

from typing import Any

import msgspec

from service.bodies.asked import SequenceRequest
from service.bodies.files import HINTS
from service.bodies.media import FILES
from service.bodies.parameters import BODY_FIELDS, fields

_REF = "#/components/schemas/{name}"
_BINARY = {"type": "string", "format": "binary"}
_HEADERS: dict[str, tuple[str, dict[str, Any]]] = {
    "X-Layout": ("of arrays, and of files that do not say it: the layout", {"type": "string", "example": "coco-17"}),
    "X-Fps": ("of arrays, and of files that do not say it: frames a second", {"type": "number", "example": 25}),
    "X-Units": ("of arrays: pixels if not given", {"enum": ["pixels", "normalised", "metres"], "type": "string"}),
    "X-Aspect": ("width / height, of normalised coordinates", {"type": "number"}),
    "X-Channels": (
        "of arrays; by their number if not given, where three are x, y and confidence, or in metres x, y, z",
        {"enum": ["xy", "xyc", "xyz", "xyzc"], "type": "string"},
    ),
    "X-Shape": (
        "of raw arrays: frames,joints,channels, or sequences,frames,joints,channels",
        {"type": "string", "example": "60,17,3"},
    ),
}


def content(kind: type[SequenceRequest]) -> dict[str, Any]:
    """The `content` of a request body, by media type."""
    schema = {"schema": {"$ref": _REF.format(name=kind.__name__)}}
    files = {
        "type": "array",
        "items": _BINARY,
        "description": "keypoint files of any known format; a pickle is refused",
    }
    hints: dict[str, Any] = {name: {"type": "string" if name == "layout" else "number"} for name in HINTS}
    form = {"type": "object", "properties": {"file": files, **hints}, "required": ["file"]}
    return {
        "application/json": schema,
        "application/msgpack": schema,
        "application/x-npy": {"schema": {**_BINARY, "description": "NumPy's .npy of real numbers"}},
        "application/octet-stream": {"schema": {**_BINARY, "description": "float32, little-endian, in X-Shape"}},
        FILES: {"schema": form},
    }


def parameters(kind: type[SequenceRequest]) -> list[dict[str, Any]]:
    """Whatever the body holds but the sequences can be in the address; what arrays are is in header fields."""
    found = [_parameter(kind, name) for name in fields(kind) if name not in BODY_FIELDS]
    for name, (text, schema) in _HEADERS.items():
        found.append({"name": name, "in": "header", "required": False, "description": text, "schema": schema})
    return found


def _parameter(kind: type[SequenceRequest], name: str) -> dict[str, Any]:
    (_, schemas) = msgspec.json.schema_components([kind], ref_template=_REF)
    # Without its default: who puts that into the address by themselves would say twice what is in the body.
    schema = {key: value for key, value in schemas[kind.__name__]["properties"][name].items() if key != "default"}
    found = {"name": name, "in": "query", "required": False, "description": "where the body has no place for it"}
    if fields(kind)[name]:
        return {**found, "content": {"application/json": {"schema": schema}}}
    return {**found, "schema": schema}
