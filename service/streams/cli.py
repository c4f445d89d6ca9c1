"""`gaitkeeper stream`: a recording, played into a service as a camera would."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from service.streams.playing import Event

KEY_VARIABLE = "GAITKEEPER_API_KEY"

File = Annotated[Path, typer.Argument(help="Keypoint file (see `gaitkeeper inspect`).")]
To = Annotated[str, typer.Option("--to", metavar="URL", help="The service.")]
Speed = Annotated[float, typer.Option(min=0, help="Times as fast as it was recorded; 0: as fast as the service can.")]


def stream(
    file: File,
    to: To = "http://127.0.0.1:8000",
    gallery: Annotated[str, typer.Option(help="Who may be known.")] = "default",
    speed: Speed = 1.0,
    fpir: Annotated[
        float | None, typer.Option(min=0, max=1, help="Rate of strangers who may be taken for somebody, by track.")
    ] = None,
    actions: Annotated[bool, typer.Option("--actions", help="Say what people do, too.")] = False,
    trust_ids: Annotated[bool, typer.Option("--trust-ids", help="Believe the tracks of the file.")] = False,
    fps: Annotated[float | None, typer.Option(help="Frames a second, where the file does not say it.")] = None,
    layout: Annotated[str | None, typer.Option(help="Layout, where the file leaves a choice.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every event as a line of JSON.")] = False,
) -> None:
    """Play a file into a stream of a service, and print what it says of the people in it.

    The key, where the service asks for one, is taken from GAITKEEPER_API_KEY.

    Example: gaitkeeper stream walk.json --to http://127.0.0.1:8000 --speed 4
    """
    from model.readers import Hints, read
    from service.streams.playing import Service, play

    wanted: dict[str, Any] = {"gallery": gallery, "actions": actions, "trust_ids": trust_ids}
    if fpir is not None:
        wanted["target_fpir"] = fpir
    recording = read(file, hints=Hints(fps=fps, layout=layout))
    play(
        Service(to, os.environ.get(KEY_VARIABLE, "").strip()),
        recording,
        wanted,
        speed,
        _print_json if as_json else _print,
    )


def _print_json(event: "Event") -> None:
    import json

    name, body = event
    print(json.dumps({"event": name, **body}), flush=True)


def _print(event: "Event") -> None:
    name, body = event
    line = _line(name, body)
    if line:
        print(line, flush=True)


def _line(name: str, body: dict[str, Any]) -> str:
    """What a person wants to know of an event; nothing of some.

    >>> _line("track_started", {"track": "1", "at": 2.0, "source": None})
    '   2.0 s  track 1  appears'
    >>> _line("stats", {})
    ''
    """
    if name == "decision":
        return f"{body['at']:6.1f} s  track {body['track']}  {_said(body)}"
    if name == "action":
        return f"{body['end']:6.1f} s  track {body['track']}  {body['action']} ({body['probability']:.0%})"
    if name in ("track_started", "track_ended"):
        return f"{body['at']:6.1f} s  track {body['track']}  {'appears' if name == 'track_started' else 'is gone'}"
    return f"the stream ended: {body['detail']}" if name == "ended" and body["detail"] else ""


def _said(body: dict[str, Any]) -> str:
    found = body["decision"]
    who = {"match": f"is {found['subject']}", "no_match": "is nobody we know"}.get(
        found["outcome"], f"no decision: {', '.join(found['reasons'])}"
    )
    score = "" if found["score"] is None else f", score {found['score']:.3f} against {found['threshold'] or 0:.3f}"
    last = ", the last word" if body["last"] else ""
    clips = f"{body['clips']} clip{'' if body['clips'] == 1 else 's'}"
    return f"{who} ({clips}{score}{last})"
