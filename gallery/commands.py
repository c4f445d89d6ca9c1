"""Groups of commands, each of which loads its module when it is called or its help is wanted."""

import importlib
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command


def group_of(table: Mapping[str, str], help_text: str) -> typer.Typer:
    """A group with the commands of `table`: name → `module:function`, or `module:app` for a group within it."""

    class Group(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            del ctx
            return list(table)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            del ctx
            return _load(cmd_name, table[cmd_name]) if cmd_name in table else None

    app = typer.Typer(cls=Group, no_args_is_help=True, add_completion=False, help=help_text)
    app.callback()(lambda: None)  # what makes a group of an app that has no commands of its own
    return app


def _load(name: str, where: str) -> Any:
    module, _, attribute = where.partition(":")
    found = getattr(importlib.import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        app = typer.Typer(add_completion=False)
        app.command(name)(found)
        found = app
    found.pretty_exceptions_enable = False
    command = get_command(found)
    command.name = name
    return command
