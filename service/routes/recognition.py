"""Questions about sequences: who, is it, what does it do, and its embedding."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter
from starlette.requests import Request

from model.errors import (
    BundleMismatch,
    EmptyGallery,
    ModelMissing,
    NotCurrent,
    UnknownGallery,
    UnknownSubject,
    UnusableSequence,
)
from service.access.caller import Caller, Scope
from service.access.needs import needs
from service.answers import recognition as answers
from service.answers.recognition import Answer
from service.answers.timelines import with_scores
from service.bodies.asked import ClassifyRequest, EmbedRequest, IdentifyRequest, VerifyRequest
from service.direct import Direct
from service.document.openapi import SEQUENCE_PROBLEMS, documented
from service.engine.engine import Bounds
from service.engine.stage import Probe
from service.parts import TheEngine
from service.receive import check_candidates, received_sequences
from service.several import answered

router = APIRouter(tags=["recognition"], route_class=Direct)
Asker: TypeAlias = Annotated[Caller, needs(Scope.IDENTIFY)]


@router.post(
    "/identify",
    summary="Who is it, or nobody we know?",
    **documented(
        answers.Decision,
        asked=IdentifyRequest,
        problems=(*SEQUENCE_PROBLEMS, UnknownGallery, UnknownSubject, EmptyGallery, BundleMismatch, NotCurrent),
    ),
)
async def identify(request: Request, engine: TheEngine, caller: Asker) -> Answer:
    found = await received_sequences(request, IdentifyRequest, engine.encoding)
    asked = found.asked
    caller.check_gallery(asked.gallery)
    check_candidates(engine.encoding.limits, asked.top_k)
    within = None if asked.within is None else tuple(asked.within)
    bounds = Bounds(asked.top_k, asked.rate(), within)

    async def one(probe: Probe) -> answers.Decision:
        decision = await engine.identify(probe, asked.gallery, bounds, asked.at_least)
        answer = answers.decision(decision, asked.gallery, probe, probe.model.fingerprint, caller)
        return await with_scores(engine, probe, answer) if asked.timeline else answer

    return await answered(request, found, one, kind=answers.Decision)


@router.post(
    "/verify",
    summary="Is it this subject?",
    **documented(
        answers.Decision,
        asked=VerifyRequest,
        problems=(*SEQUENCE_PROBLEMS, UnknownGallery, UnknownSubject, BundleMismatch),
    ),
)
async def verify(request: Request, engine: TheEngine, caller: Asker) -> Answer:
    found = await received_sequences(request, VerifyRequest, engine.encoding)
    asked, rate = found.asked, found.asked.rate()
    caller.check_gallery(asked.gallery)

    async def one(probe: Probe) -> answers.Decision:
        decision = await engine.verify(probe, asked.gallery, asked.subject, rate)
        return answers.decision(decision, asked.gallery, probe, probe.model.fingerprint, caller)

    return await answered(request, found, one, kind=answers.Decision)


@router.post(
    "/classify",
    summary="What is this person doing?",
    dependencies=[needs(Scope.IDENTIFY)],
    **documented(
        answers.Classification,
        asked=ClassifyRequest,
        problems=(*SEQUENCE_PROBLEMS, UnusableSequence, ModelMissing),
    ),
)
async def classify(request: Request, engine: TheEngine) -> Answer:
    found = await received_sequences(request, ClassifyRequest, engine.labelling)
    asked = found.asked
    check_candidates(engine.labelling.limits, asked.top_k)

    async def one(probe: Probe) -> answers.Classification:
        rows = await engine.labelling.rows(probe.required(), probe.model)
        return answers.classification(rows, asked.top_k, probe, timeline=asked.timeline)

    return await answered(request, found, one, kind=answers.Classification)


@router.post(
    "/embed",
    summary="The embedding of a sequence",
    dependencies=[needs(Scope.EMBED)],
    **documented(answers.Embedding, asked=EmbedRequest, problems=(*SEQUENCE_PROBLEMS, UnusableSequence)),
)
async def embed(request: Request, engine: TheEngine) -> Answer:
    found = await received_sequences(request, EmbedRequest, engine.encoding)

    async def one(probe: Probe) -> answers.Embedding:
        return answers.embedding(await engine.embed(probe), probe, probe.model.fingerprint)

    return await answered(request, found, one, kind=answers.Embedding)
