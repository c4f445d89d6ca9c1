"""Groups of commands: each is loaded when it is called, and explains itself with an example."""

import importlib
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from gallery import cli

TABLES = {"gallery": cli.GALLERY, "subjects": cli.SUBJECTS}
COMMANDS = [(group, name) for group, table in TABLES.items() for name in table]


@pytest.mark.parametrize(("group", "name"), COMMANDS)
def test_every_command_of_a_group_shows_an_example_of_itself(group: str, name: str) -> None:
    said = CliRunner().invoke(getattr(cli, group), [name, "--help"], env={"COLUMNS": "200"})
    assert said.exit_code == 0, said.output
    assert f"Example: gaitkeeper {group} {name}" in said.output


@pytest.mark.parametrize("group", TABLES)
def test_a_group_lists_its_commands_and_knows_no_others(group: str) -> None:
    listed = CliRunner().invoke(getattr(cli, group), ["--help"])
    assert all(f" {name} " in listed.output for name in TABLES[group])
    assert CliRunner().invoke(getattr(cli, group), ["dance"]).exit_code == 2


def test_what_is_not_called_is_not_loaded() -> None:
    code = (
        "import sys; sys.argv = ['gaitkeeper', 'gallery', 'list', '--help']; import gaitkeeper\n"
        "try: gaitkeeper.main()\n"
        "except SystemExit: pass\n"
        "assert 'gallery.cli_gallery' in sys.modules\n"
        "loaded = {'gallery.cli_migrate', 'gallery.cli_archive', 'gallery.library', 'numpy'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_the_tables_name_what_there_is() -> None:
    for table in TABLES.values():
        for where in table.values():
            module, _, name = where.partition(":")
            assert hasattr(importlib.import_module(module), name), where
