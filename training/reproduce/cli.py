"""`gaitkeeper reproduce`."""

import json as json_text
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from model.errors import InvalidRequest
from training.evaluate.results import rounded, to_text, write_text
from training.reproduce.catalogue import OF_STREAMS, What, maker_of
from training.reproduce.choices import OUT, RUNS, STREAMS, Choices
from training.reproduce.made import Made
from training.reproduce.show import show_table, write_table


def reproduce(
    what: Annotated[
        What,
        typer.Argument(
            help="A table or figure of the paper; `across`: Table VIII's gains over all sets in --runs.",
            metavar="TABLE|FIGURE",
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="Where the data sets lie; default: where the recipe says."),
    ] = None,
    runs: Annotated[Path, typer.Option("--runs", metavar="DIR", file_okay=False, help="Where runs live.")] = RUNS,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Where results go.")] = OUT,
    recipe: Annotated[
        Path | None,
        typer.Option("--recipe", exists=True, dir_okay=False, help="Tables 6-10, figures: on another data set."),
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="A smaller dose: so many epochs.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="A smaller dose: so many recordings at most.")
    ] = None,
    seeds: Annotated[str | None, typer.Option("--seeds", metavar="N,N", help="As 1,2,3; default by table.")] = None,
    streams: Annotated[str, typer.Option("--streams", metavar="S,S", help="Tables 1-5: of these.")] = ",".join(STREAMS),
    variants: Annotated[
        str | None,
        typer.Option("--variants", metavar="V,V", help="Tables 8, 9: baseline,inter,dynamic,intra,full,pairwise."),
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipes: section.key=value.")
    ] = None,
    select_on_test: Annotated[
        bool, typer.Option("--select-on-test", help="Choose checkpoints by the test set, as the paper did.")
    ] = False,
    only_test: Annotated[bool, typer.Option("--only-test", help="Train nothing; test what is trained.")] = False,
    only_report: Annotated[
        bool, typer.Option("--only-report", help="Train and test nothing; print what was measured.")
    ] = False,
    devices: Annotated[int, typer.Option("--devices", min=1, help="GPUs, or processes, that share each batch.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON instead of tables.")] = False,
) -> None:
    """Reproduce a table or figure of the ACLNet paper: train, test, and print ours beside the paper's.

    Every run is kept below --runs. One that is finished is taken as it is, one that was stopped goes on: Ctrl-C and the
    same command again lose nothing. Without the data it says whom to ask for which file. Writes CSV and one HTML page
    to --out. --epochs and --limit make a smaller dose, and every figure that comes of it is marked.

    Example: gaitkeeper reproduce table-8 --data data --seeds 1,2,3
    """
    if recipe is not None and what in OF_STREAMS:
        raise InvalidRequest("recipe", f"{what} has recipes of its own; table-6 to table-10 and the figures take one")
    choices = Choices(
        data=data, runs=runs, out=out, recipe=recipe, epochs=epochs, limit=limit, seeds=_seeds(seeds),
        streams=_names("streams", streams, STREAMS) or STREAMS, variants=_names("variants", variants, _variants()),
        settings=tuple(settings or ()), select_on_test=select_on_test, only_test=only_test,
        only_report=only_report, devices=devices,
    )  # fmt: skip
    made = _with_pictures(maker_of(what)(choices, Console(stderr=True)))
    files = _write(made, out)
    if json:
        typer.echo(to_text(_content(made)), nl=False)
        return
    console = Console()
    for table in made.tables:
        show_table(console, table)
    console.print(f"written: {', '.join(str(file) for file in files)}", style="dim", highlight=False, soft_wrap=True)


def _with_pictures(made: Made) -> Made:
    """With the pictures that its reports give, where it has none of its own."""
    if made.pictures:
        return made
    from training.reproduce.report_pictures import pictures_of  # matplotlib takes its time

    return replace(made, pictures=tuple(pictures_of(made.reports)))


def _write(made: Made, out: Path) -> list[Path]:
    from training.reproduce.page import write_page

    write_text(out / f"{made.name}.json", to_text(_content(made)))
    return [*(write_table(table, out) for table in made.tables), write_page(made, out), out / f"{made.name}.json"]


def _content(made: Made) -> dict[str, Any]:
    reports = [json_text.loads(report.model_dump_json(exclude={"figures"})) for report in made.reports]
    content = {"name": made.name, "title": made.title, "tables": [table.to_json() for table in made.tables]}
    whole: dict[str, Any] = rounded(content | {"runs": reports, "remark": made.remark})
    return whole


def _seeds(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names or any(not name.isdecimal() for name in names):
        raise InvalidRequest("seeds", f"takes whole numbers with commas between them, got {text!r}")
    return tuple(dict.fromkeys(map(int, names)))


def _names(option: str, text: str | None, known: Sequence[str]) -> tuple[str, ...] | None:
    """Names with commas between them, in the order that is known; raises `InvalidRequest` for another."""
    if text is None:
        return None
    given = [part.strip() for part in text.split(",") if part.strip()]
    if not given or set(given) - set(known):
        raise InvalidRequest(option, f"takes some of {', '.join(known)} with commas between them, got {text!r}")
    return tuple(name for name in known if name in given)


def _variants() -> tuple[str, ...]:
    from training.reproduce.experiment import VARIANTS

    return tuple(VARIANTS)
