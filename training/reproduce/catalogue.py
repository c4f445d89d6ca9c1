"""What can be reproduced, and where it is made; nothing is loaded before it is asked for."""

import importlib
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import cast

from training.reproduce.made import Maker


class What(StrEnum):
    """Tables and figures of the paper that hold measurements; and Table VIII over all data sets at hand."""

    TABLE_1 = "table-1"
    TABLE_2 = "table-2"
    TABLE_3 = "table-3"
    TABLE_4 = "table-4"
    TABLE_5 = "table-5"
    TABLE_6 = "table-6"
    TABLE_7 = "table-7"
    TABLE_8 = "table-8"
    TABLE_9 = "table-9"
    TABLE_10 = "table-10"
    FIGURE_3 = "figure-3"
    FIGURE_4 = "figure-4"
    FIGURE_5 = "figure-5"
    FIGURE_6 = "figure-6"
    ACROSS = "across"


_ROOT = "training.reproduce"
_MAKERS: Mapping[What, tuple[str, str]] = MappingProxyType(
    {
        **{What(f"table-{i}"): ("actions_tables", f"table_{i}") for i in range(1, 6)},
        What.TABLE_6: ("identity_tables", "table_6"),
        What.TABLE_7: ("identity_tables", "table_7"),
        What.TABLE_8: ("ablation", "table_8"),
        What.TABLE_9: ("occlusion_table", "table_9"),
        What.TABLE_10: ("difficulty_table", "table_10"),
        What.FIGURE_3: ("figure_3", "figure_3"),
        What.FIGURE_4: ("figure_4", "figure_4"),
        What.FIGURE_5: ("figure_5", "figure_5"),
        What.FIGURE_6: ("figure_6", "figure_6"),
        What.ACROSS: ("across", "across"),
    }
)
"""Module and function of each."""


OF_STREAMS = frozenset(What(f"table-{i}") for i in range(1, 6))
"""What is made of several published recipes and their streams, and so of no other recipe."""


def maker_of(what: What) -> Maker:
    """The function that makes it."""
    module, name = _MAKERS[what]
    return cast(Maker, getattr(importlib.import_module(f"{_ROOT}.{module}"), name))
