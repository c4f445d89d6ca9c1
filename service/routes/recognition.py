"""Questions about one sequence: who, is it, what does it do, and its embedding."""

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
from service import answers
from service.access.caller import Caller, Scope
from service.access.needs import needs
from service.answers import Answer
from service.engine import Bounds
from service.openapi import SEQUENCE_PROBLEMS, documented
from service.parts import TheEngine, TheLimits
from service.receive import check_candidates, received_sequence, unless_gone
from service.wire import ClassifyRequest, EmbedRequest, IdentifyRequest, VerifyRequest

router = APIRouter(tags=["recognition"])
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
async def identify(request: Request, engine: TheEngine, limits: TheLimits, caller: Asker) -> Answer:
    asked, probe = await received_sequence(request, IdentifyRequest, engine.encoding, limits)
    caller.check_gallery(asked.gallery)
    check_candidates(asked.top_k, limits)
    within = None if asked.within is None else tuple(asked.within)
    bounds = Bounds(asked.top_k, asked.rate(), within)
    decision = await unless_gone(request, engine.identify(probe, asked.gallery, bounds, asked.at_least))
    return Answer(answers.decision(decision, asked.gallery, probe, engine.encoding.fingerprint))


@router.post(
    "/verify",
    summary="Is it this subject?",
    **documented(
        answers.Decision,
        asked=VerifyRequest,
        problems=(*SEQUENCE_PROBLEMS, UnknownGallery, UnknownSubject, BundleMismatch),
    ),
)
async def verify(request: Request, engine: TheEngine, limits: TheLimits, caller: Asker) -> Answer:
    asked, probe = await received_sequence(request, VerifyRequest, engine.encoding, limits)
    caller.check_gallery(asked.gallery)
    decision = await unless_gone(request, engine.verify(probe, asked.gallery, asked.subject, asked.rate()))
    return Answer(answers.decision(decision, asked.gallery, probe, engine.encoding.fingerprint))


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
async def classify(request: Request, engine: TheEngine, limits: TheLimits) -> Answer:
    asked, probe = await received_sequence(request, ClassifyRequest, engine.labelling, limits)
    check_candidates(asked.top_k, limits)
    actions = await unless_gone(request, engine.classify(probe))
    return Answer(answers.classification(actions[: asked.top_k], probe, engine.labelling.fingerprint))


@router.post(
    "/embed",
    summary="The embedding of a sequence",
    dependencies=[needs(Scope.EMBED)],
    **documented(answers.Embedding, asked=EmbedRequest, problems=(*SEQUENCE_PROBLEMS, UnusableSequence)),
)
async def embed(request: Request, engine: TheEngine, limits: TheLimits) -> Answer:
    _, probe = await received_sequence(request, EmbedRequest, engine.encoding, limits)
    embedding = await unless_gone(request, engine.embed(probe))
    return Answer(answers.embedding(embedding, probe, engine.encoding.fingerprint))
