"""What the service answers about itself: its models, its readiness and how it is doing. Nothing here names anybody."""

from typing import Literal

import msgspec

from service.loaded import Loaded


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model that answers now. fingerprint: names the embedding space. frames: of one clip, at fps frames a second;
    people: in one clip. dim: of an embedding; labels: of a classifier. runs_on: what runs it, first choice first.
    since: when it was opened.
    """

    task: Literal["encoder", "classifier"]
    name: str
    fingerprint: str
    layout: str
    fps: float
    frames: int
    people: int
    dim: int | None
    labels: list[str]
    runs_on: list[str]
    since: str


class Models(msgspec.Struct, frozen=True):
    """changed: of a reload, whose bundle is another one now."""

    models: list[Model]
    changed: list[str] = []


def model(task: Literal["encoder", "classifier"], loaded: Loaded) -> Model:
    return Model(
        task=task,
        name=loaded.name,
        fingerprint=loaded.fingerprint,
        layout=loaded.layout.name,
        fps=loaded.clip.fps,
        frames=loaded.clip.frames,
        people=loaded.clip.people,
        dim=loaded.dim or None,
        labels=list(loaded.labels),
        runs_on=list(loaded.runs_on),
        since=loaded.since.isoformat(timespec="seconds"),
    )


def models(encoder: Loaded, classifier: Loaded | None, changed: list[str] | None = None) -> Models:
    found = [model("encoder", encoder)]
    if classifier is not None:
        found.append(model("classifier", classifier))
    return Models(found, changed or [])
