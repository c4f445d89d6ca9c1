"""The command `classify`."""

import json
from typing import Annotated

import typer

from model.cli import AsJson, Aspect, File, Fps, LayoutName, TrackName


def classify(
    file: File,
    track: TrackName = None,
    bundle: Annotated[
        str | None,
        typer.Option("--bundle", help="Directory, or a shipped bundle's name.", show_default="the shipped one"),
    ] = None,
    fps: Fps = None,
    aspect: Aspect = None,
    layout: LayoutName = None,
    top: Annotated[int, typer.Option("--top", min=1, help="How many actions to show.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Say which action a keypoint file shows, with the probability of each.

    A bundle for several people at a time takes all tracks that are there at the same time as one recording; --track
    shows it one of them alone.

    Example: gaitkeeper classify walk.json --fps 30
    """
    from model import inference
    from model.bundle import DEFAULT_CLASSIFIER, open_bundle, shipped
    from model.inspection_tables import out, said
    from model.prepare import prepare_people
    from model.readers import Hints, only_track, read
    from model.runtime import OnnxClassifier
    from model.together import Together, together

    recording = read(file, hints=Hints(fps=fps, aspect=aspect, layout=layout))
    classifier = OnnxClassifier(open_bundle(bundle or shipped(DEFAULT_CLASSIFIER)))
    shown = (
        together(recording, classifier.clip.people)
        if classifier.clip.people > 1 and track is None
        else Together((only_track(recording, track).sequence,))
    )
    prepared = prepare_people(shown.sequences, classifier.layout, classifier.clip)
    shares = inference.classify(classifier, [prepared.sequences])[0]
    ranked = [(classifier.labels[i], float(shares[i])) for i in (-shares).argsort()[:top]]
    notes = [*recording.notes, *shown.notes, *prepared.notes]
    if as_json:
        actions = [{"action": action, "probability": round(share, 4)} for action, share in ranked]
        print(json.dumps({"action": ranked[0][0], "actions": actions, "notes": notes}, ensure_ascii=False))
        return
    for action, share in ranked:
        out.print(f"{share:6.1%}  {said(action)}")
    for note in notes:
        out.print(said(f"note: {note}"), soft_wrap=True)
