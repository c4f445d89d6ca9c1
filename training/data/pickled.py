"""Large pickles of data, entry by entry, through the reader that runs nothing of theirs (`model.readers.unpickle`).

Of the list under `annotations` (or `annos`, or of a list that is the whole file) each element is handed out and
forgotten, and so is each item of the outermost dict; what a pickle remembers for later is kept only where a first
look through the file found that it is asked for. So a file of gigabytes takes the memory of a thousand entries:
pickle writes lists and dicts in lots of a thousand.
"""

import pickletools
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, BinaryIO, TypeAlias, cast

from model.errors import InvalidDataSet
from model.readers.pickle_arrays import MAKERS, Array, Dtype, Maker, Refused
from model.readers.source import printable
from model.readers.unpickle import Machine
from training.data.stream import Progress

Entry: TypeAlias = tuple[str | None, Any]
"""(key of the outermost dict, value), or (None, element of the list)."""
_GETS = frozenset({"GET", "BINGET", "LONG_BINGET"})
_LISTS = frozenset({"annotations", "annos"})
_STEP = 1 << 20
"""Bytes after which progress is told again: the reader is asked for a few at a time."""
_OBJECTS = frozenset({"O", "O8", "|O"})


def entries(
    path: Path, *, objects: bool = False, skip: int = 0, start: bool = False, progress: Progress | None = None
) -> Iterator[Entry]:
    """The entries of the pickle at `path`; arrays are `Array`, whose `values` are numpy's.

    objects: read arrays of objects too, as lists, as numpy saves dicts in a .npy. skip: bytes before the pickle.
    start: only the first entries will be looked at, so that there is no first look through the whole file.
    progress is told the file's bytes once. Raises `InvalidDataSet` for whatever is not data, naming it.
    """
    try:
        wanted = None if start else _asked_for(path, skip, progress)
        with path.open("rb") as file:
            yield from _run(_Reader(file, path.stat().st_size, skip, progress, rounded=1), wanted, objects)
    except Refused as error:
        raise InvalidDataSet(str(path), f"is a pickle that {printable(str(error))}") from None
    except FileNotFoundError:
        raise InvalidDataSet(str(path), "there is no such file") from None
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, UnicodeDecodeError, OSError) as error:
        reason = printable(str(error).splitlines()[0][:80]) if str(error) else type(error).__name__
        raise InvalidDataSet(str(path), f"is a broken pickle: {reason}") from error


def _asked_for(path: Path, skip: int, progress: Progress | None) -> frozenset[int]:
    """Numbers of what the pickle remembers and asks for again."""
    with path.open("rb") as file:
        reader = _Reader(file, path.stat().st_size, skip, progress, rounded=0)
        return frozenset(int(argument) for name, argument in _steps(reader) if name in _GETS)


def _steps(reader: "_Reader") -> Iterator[tuple[str, Any]]:
    for opcode, argument, _ in pickletools.genops(cast(IO[bytes], reader)):
        yield opcode.name, argument
    reader.tell_progress()


def _run(reader: "_Reader", wanted: frozenset[int] | None, objects: bool) -> Iterator[Entry]:
    machine = _Streaming(wanted, _OBJECT_MAKERS if objects else MAKERS)
    for name, argument in _steps(reader):
        machine.run(name, argument)
        if machine.out:
            yield from machine.out
            machine.out.clear()
    rest = machine.pop()  # what was not in lots: protocols 0 and 1, and plain values
    if isinstance(rest, dict):
        for key, value in rest.items():
            yield from ((None, one) for one in value) if key in _LISTS and isinstance(value, list) else [(key, value)]
    elif isinstance(rest, list):
        yield from ((None, value) for value in rest)
    else:
        yield None, rest


class _Streaming(Machine):
    """Keeps nothing that is handed out."""

    def __init__(self, wanted: frozenset[int] | None, makers: Mapping[tuple[str, str], Maker]) -> None:
        super().__init__(makers)
        self._wanted = wanted
        self._told: set[Any] = set()
        self.out: list[Entry] = []

    def _remember(self, place: int) -> None:
        if self._wanted is None or place in self._wanted:
            super()._remember(place)
        else:
            self._memoized += 1

    def _extend(self, items: list[Any]) -> None:
        listed = isinstance(self._stack[-1], list)
        if listed and (len(self._stack) == 1 or self._is_list_of_entries()):
            self._tell(self._stack[1:-2])
            self.out += [(None, item) for item in items]
        else:
            super()._extend(items)

    def _is_list_of_entries(self) -> bool:
        """Whether the top of the stack is the value of `annotations` in the outermost dict."""
        key = self._stack[-2]
        inside = [mark for mark in self._marks if mark < len(self._stack)]
        return isinstance(key, str) and key in _LISTS and inside in ([], [1]) and isinstance(self._stack[0], dict)

    def _update(self, items: list[Any]) -> None:
        if len(self._stack) == 1 and isinstance(self._stack[0], dict):
            if len(items) % 2:
                raise Refused("holds a dict whose keys are not text or numbers")
            self._tell(items)
            self._told.clear()
        else:
            super()._update(items)

    def _tell(self, items: list[Any]) -> None:
        """Hand out items of the outermost dict, once: they wait on the stack while a list beside them is read."""
        for key, value in zip(items[::2], items[1::2], strict=False):
            if isinstance(key, str | int | float) and key not in self._told and not (key in _LISTS and value == []):
                self._told.add(key)
                self.out.append((str(key), value))


class _Reader:
    """A file's bytes from `skip` on, never asked for more than there are: a length in a pickle is only a claim.

    Each of the two passes counts half for the progress, rounded down in the first (`rounded` 0) and up in the second.
    """

    def __init__(self, file: BinaryIO, size: int, skip: int, progress: Progress | None, *, rounded: int) -> None:
        file.seek(skip)
        self._file, self._size, self._at, self._progress = file, size, skip, progress
        self._rounded, self._told, self._next = rounded, 0, skip + _STEP

    def read(self, count: int) -> bytes:
        if count > self._size - self._at:
            raise ValueError(f"it ends early, at byte {self._size}")
        return self._took(self._file.read(count))

    def readline(self) -> bytes:
        return self._took(self._file.readline())

    def tell(self) -> int:
        return self._at

    def _took(self, data: bytes) -> bytes:
        self._at += len(data)
        if self._at >= self._next:
            self.tell_progress()
        return data

    def tell_progress(self) -> None:
        self._next = self._at + _STEP
        done = (self._at + self._rounded) // 2
        if self._progress and done > self._told:
            self._progress(done - self._told)
            self._told = done


class _Objects(Array):
    """An array of objects is the list that its state holds."""

    def set_state(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) == 5 and isinstance(state[2], _AnyDtype) and state[2].objects:
            if not isinstance(state[4], list):
                raise Refused("holds an array of objects that is not written as numpy does")
            self.items: list[Any] | None = state[4]
        else:
            self.items = None
            super().set_state(state)


class _AnyDtype(Dtype):
    def __init__(self, code: object) -> None:
        self.objects = isinstance(code, str) and code in _OBJECTS
        super().__init__("u1" if self.objects else code)


def _reconstruct_any(*_: object) -> _Objects:
    return _Objects()


def _any_dtype(*arguments: object) -> _AnyDtype:
    return _AnyDtype(arguments[0] if arguments else None)


_OBJECT_MAKERS: Mapping[tuple[str, str], Maker] = MappingProxyType(
    {
        **MAKERS,
        ("numpy", "dtype"): _any_dtype,
        **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct_any for core in ("core", "_core")},
    }
)


def object_of(array: object) -> Any:
    """The one object of an array of objects with no axes, as numpy saves a dict; raises ValueError for others."""
    items = getattr(array, "items", None)
    if not isinstance(items, list) or len(items) != 1:
        raise ValueError("is no single object")
    return items[0]
