import pytest
import typer
from typer.testing import CliRunner

from model.errors import InvalidRecipe, InvalidRequest
from training.cli_export import export


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command()(export)
    return app


def test_help_shows_an_example(app):
    assert "Example: gaitkeeper export" in CliRunner().invoke(app, ["--help"]).output


def test_what_is_no_run_is_refused_and_nothing_is_written(app, tmp_path):
    (tmp_path / "run").mkdir()
    result = CliRunner().invoke(app, [str(tmp_path / "run"), "--out", str(tmp_path / "bundle")])
    assert isinstance(result.exception, InvalidRecipe)
    assert not (tmp_path / "bundle").exists()


def test_attached_files_are_read_before_the_slow_part(app, tmp_path):
    arguments = [str(tmp_path / "no run"), "--out", str(tmp_path / "b"), "--results", str(tmp_path / "no results")]
    assert isinstance(CliRunner().invoke(app, arguments).exception, InvalidRequest)
