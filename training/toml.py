"""Writing TOML: the standard library reads it only."""

import json
from collections.abc import Mapping
from typing import Any


def to_toml(values: Mapping[str, Any]) -> str:
    """Nested mappings of strings, numbers, booleans and flat lists as TOML; None is left out, TOML has none.

    >>> print(to_toml({"name": "a", "optim": {"lr": 0.1, "ema": None}}), end="")
    name = "a"
    <BLANKLINE>
    [optim]
    lr = 0.1
    """
    return "\n".join(_table(values, ())) + "\n"


def _table(values: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    plain = {key: value for key, value in values.items() if value is not None and not isinstance(value, Mapping)}
    lines = [f"{key} = {_scalar(value)}" for key, value in plain.items()]
    if path and lines:
        lines = ["", f"[{'.'.join(path)}]", *lines]
    for key, value in values.items():
        if isinstance(value, Mapping):
            lines += _table(value, (*path, key))
    return lines


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # JSON may hold it, TOML may not
    return f"[{', '.join(_scalar(item) for item in value)}]"
