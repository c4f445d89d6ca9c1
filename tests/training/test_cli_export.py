import json

import pytest
import typer
from typer.testing import CliRunner

from model.errors import InvalidBundle, InvalidRecipe, InvalidRequest
from tests.training.random_runs import random_recipe, random_run
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


def test_a_directory_of_something_else_is_refused_before_the_slow_part(app, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").touch()
    result = CliRunner().invoke(app, [str(tmp_path / "no run"), "--out", str(tmp_path / "photos")])
    assert isinstance(result.exception, InvalidBundle)
    assert "it is left alone" in str(result.exception)


@pytest.fixture
def runs(tmp_path):
    small = {"widths": [8], "strides": [2]}
    return [
        str(random_run(tmp_path / stream, random_recipe(network=small | {"streams": [stream]}), seed=seed).path)
        for seed, stream in enumerate(("joint", "motion"))
    ]


def test_several_runs_become_one_bundle_with_the_published_weights_and_it_is_said(app, runs, tmp_path):
    result = CliRunner().invoke(app, [*runs, "--out", str(tmp_path / "bundle"), "--name", "both", "--json"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["streams"] == [
        {"name": "tiny", "streams": ["joint"], "weight": 2.0},
        {"name": "tiny", "streams": ["motion"], "weight": 1.0},
    ]
    assert json.loads((tmp_path / "bundle" / "manifest.json").read_text())["name"] == "both"


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("2,two", "takes numbers between commas"),
        ("", "takes numbers between commas"),
        ("2", "2 runs need as many weights, got 1"),
        ("2,2,1", "2 runs need as many weights, got 3"),
        ("2,0", "above 0"),
        ("nan,1", "above 0"),
    ],
)
def test_weights_that_do_not_fit_the_runs_are_refused_and_nothing_is_written(app, runs, tmp_path, weights, said):
    result = CliRunner().invoke(app, [*runs, "--weights", weights, "--out", str(tmp_path / "bundle")])
    assert isinstance(result.exception, InvalidRequest)
    assert said in str(result.exception)
    assert not (tmp_path / "bundle").exists()
