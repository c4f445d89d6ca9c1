"""The parts of a form, taken apart in memory: nothing that somebody sends is written to a disk on the way."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import DecodeError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from model.errors import InvalidRequest, LimitExceeded
from model.readers.source import printable
from service.bodies.parameters import PARAMETERS, unique

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

FIELD_BYTES = 16 * 1024
FILES = 20_000
NAME_LENGTH = 128


@dataclass(frozen=True, slots=True)
class File:
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """files: in their order. fields: what was typed in, by name."""

    files: tuple[File, ...]
    fields: dict[str, str]


def form_of(body: bytes, content_type: str) -> Form:
    """Raises `InvalidRequest`, `LimitExceeded`, and `DecodeError` for what is no form."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= 70:
        raise InvalidRequest("Content-Type", "names no boundary of 1 to 70 characters")
    reading = _Reading()
    try:
        parser = MultipartParser(boundary, reading.callbacks(), max_size=len(body) + 1)
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise DecodeError(f"the body is no form: {printable(str(error))[:120]}") from error
    if not reading.ended:
        raise DecodeError("the body is no form: it ends before its last boundary")
    return Form(tuple(reading.files), unique(reading.fields))


@dataclass(slots=True)
class _Reading:
    """What the parser has told of so far."""

    files: list[File] = field(default_factory=list)
    fields: list[tuple[str, str]] = field(default_factory=list)
    ended: bool = False
    _headers: dict[bytes, bytes] = field(default_factory=dict)
    _name: bytes = b""
    _value: bytes = b""
    _content: bytearray = field(default_factory=bytearray)

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._on_name,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header,
            "on_part_data": self._on_data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._headers, self._content = {}, bytearray()

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def _end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b"").decode("latin-1"))
        name, file = options.get(b"name", b""), options.get(b"filename")
        if file is not None:
            return self._add_file(file)
        if len(self._content) > FIELD_BYTES:
            raise LimitExceeded(f"{_text(name)} (bytes)", FIELD_BYTES, len(self._content))
        if len(self.fields) >= PARAMETERS:
            raise LimitExceeded("fields of the form", PARAMETERS, len(self.fields) + 1)
        try:
            self.fields.append((name.decode(), self._content.decode()))
        except UnicodeDecodeError as error:
            raise InvalidRequest(_text(name), "is not UTF-8") from error

    def _add_file(self, name: bytes) -> None:
        if len(self.files) >= FILES:
            raise LimitExceeded("files", FILES, len(self.files) + 1)
        self.files.append(File(_text(name) or f"file {len(self.files) + 1}", bytes(self._content)))

    def _finish(self) -> None:
        self.ended = True


def _text(name: bytes) -> str:
    """A name out of a form, without the folders that some browsers put before it."""
    return printable(name.decode("utf-8", "replace")).replace("\\", "/").rsplit("/", 1)[-1].strip()[:NAME_LENGTH]
