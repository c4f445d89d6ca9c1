"""Events as they go out to one listener: who may see less is told less."""

import msgspec

from service.access.caller import Caller
from service.answers import recognition as answers
from service.events import Missed
from service.sse import Counted, Told
from service.streams import told
from service.streams.stream import Event, Stream
from service.streams.tracked import Said

MISSED = "missed"


def rendered(event: Event | Missed, stream: Stream, caller: Caller) -> Told:
    """Name and body of an event."""
    if isinstance(event, Missed):
        return MISSED, Counted(event.count)
    body: msgspec.Struct = _decision(event, stream, caller) if isinstance(event, Said) else event
    return told.NAMES[type(body)], body


def _decision(said: Said, stream: Stream, caller: Caller) -> told.TrackDecision:
    gallery = stream.opening.deciding.gallery
    return told.TrackDecision(
        track=said.track,
        at=stream.seconds(said.frame),
        look=said.look,
        clips=said.clips,
        last=said.last,
        previous=said.previous,
        track_fpir=said.track_fpir,
        decision=answers.decision(said.decision, gallery, said.probe, said.probe.model.fingerprint, caller),
    )
