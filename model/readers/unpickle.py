"""Pickles that hold arrays, numbers, text, lists and dicts, read without running anything of theirs.

A pickle is a program for a stack machine that may name any function and call it. This is that machine with the
opcodes that data need and no others; what they may name is in `pickle_arrays.MAKERS`.
"""

import pickletools
from collections.abc import Mapping
from typing import Any

from model.errors import LimitExceeded
from model.readers.pickle_arrays import MAKERS, Array, Dtype, Maker, Refused
from model.readers.source import Source

MOST_STEPS = 1_000_000
"""Opcodes; a file of a thousand annotated sequences has some hundred thousand."""

_VALUES = frozenset(
    {
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
        *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
        *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    }
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, type[list[Any]] | type[dict[Any, Any]] | type[tuple[Any, ...]]] = {
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def unpickle(source: Source) -> Any:
    """What the pickle holds; arrays are `pickle_arrays.Array`.

    Raises `UnreadableFile` for whatever is not data, naming it, and `LimitExceeded` for a program without end.
    """
    machine = Machine()
    try:
        for step, (opcode, argument, _) in enumerate(pickletools.genops(source.data)):
            if step >= MOST_STEPS:
                raise LimitExceeded(f"steps of the pickle {source.name}", MOST_STEPS, step + 1)
            machine.run(opcode.name, argument)
        return machine.pop()
    except Refused as error:
        source.fail(f"is a pickle that {error}")
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, UnicodeDecodeError) as error:
        source.fail(f"is a broken pickle: {str(error).splitlines()[0][:80] if str(error) else type(error).__name__}")


class Machine:
    """The stack machine. `makers` are the names that a pickle may call, and what is called in their place."""

    def __init__(self, makers: Mapping[tuple[str, str], Maker] = MAKERS) -> None:
        self._makers = makers
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._memoized = 0

    def pop(self) -> Any:
        return self._stack.pop()

    def run(self, name: str, argument: Any) -> None:
        if name in _VALUES:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            self._stack.append(_EMPTY[name]())
        elif name in _TUPLES:
            self._tuple(len(self._stack) - _TUPLES[name])
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._remember(argument)
        elif name == "MEMOIZE":
            self._remember(self._memoized)
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self._stack.append(self._memo[argument])
        elif name not in ("PROTO", "FRAME", "STOP"):
            self._compose(name, argument)

    def _remember(self, place: int) -> None:
        self._memo[place] = self._stack[-1]
        self._memoized += 1

    def _compose(self, name: str, argument: Any) -> None:
        match name:
            case "MARK":
                self._marks.append(len(self._stack))
            case "POP":
                self._stack.pop()
            case "TUPLE":
                self._tuple(self._marks.pop())
            case "LIST":
                self._stack.append(self._since_mark())
            case "DICT":
                self._stack.append(_pairs(self._since_mark()))
            case "APPEND":
                self._extend([self._stack.pop()])
            case "APPENDS":
                self._extend(self._since_mark())
            case "SETITEM":
                value, key = self._stack.pop(), self._stack.pop()
                self._update([key, value])
            case "SETITEMS":
                self._update(self._since_mark())
            case "GLOBAL":
                self._stack.append(self._maker(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                attribute, module = self._stack.pop(), self._stack.pop()
                self._stack.append(self._maker(module, attribute))
            case "REDUCE":
                self._call()
            case "BUILD":
                self._set_state()
            case _:
                raise Refused(f"uses {name}; only arrays, numbers, text, lists and dicts are read")

    def _since_mark(self) -> list[Any]:
        start = self._marks.pop()
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _tuple(self, start: int) -> None:
        if start < 0:
            raise IndexError("its stack is empty")
        self._stack[start:] = [tuple(self._stack[start:])]

    def _extend(self, items: list[Any]) -> None:
        if not isinstance(self._stack[-1], list):
            raise Refused("appends to something that is no list")
        self._stack[-1].extend(items)

    def _update(self, items: list[Any]) -> None:
        if not isinstance(self._stack[-1], dict):
            raise Refused("sets items of something that is no dict")
        self._stack[-1].update(_pairs(items))

    def _call(self) -> None:
        arguments, maker = self._stack.pop(), self._stack.pop()
        if maker not in self._makers.values() or not isinstance(arguments, tuple):
            raise Refused("calls something that makes no data")
        self._stack.append(maker(*arguments))

    def _set_state(self) -> None:
        state = self._stack.pop()
        if not isinstance(self._stack[-1], Array | Dtype):
            raise Refused("sets the state of something that is no array")
        self._stack[-1].set_state(state)

    def _maker(self, module: Any, name: Any) -> Maker:
        maker = self._makers.get((module, name)) if isinstance(module, str) and isinstance(name, str) else None
        if maker is None:
            wanted = f"{module}.{name}"[:60]
            raise Refused(f"names {wanted}; only arrays, numbers, text, lists and dicts are read, and nothing is run")
        return maker


def _pairs(items: list[Any]) -> dict[str | int | float, Any]:
    if len(items) % 2 or not all(isinstance(key, str | int | float) for key in items[::2]):
        raise Refused("holds a dict whose keys are not text or numbers")
    return dict(zip(items[::2], items[1::2], strict=True))
