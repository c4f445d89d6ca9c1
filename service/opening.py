"""From settings to an engine that is ready to answer: bundles checked and loaded, store opened, caches built."""

import os

import numpy as np
import structlog

from gallery.calibration import Calibration
from gallery.follow import Follower
from gallery.index import IndexPolicy
from gallery.keys.masters import open_masters
from gallery.library import Library
from gallery.maintenance import Maintenance
from gallery.recorder import Recorder
from gallery.replay import ReplayPolicy
from gallery.store import Store, open_store
from model.bundle import DEFAULT_CLASSIFIER, DEFAULT_ENCODER, open_bundle, shipped
from model.errors import BundleMismatch
from model.runtime import Classifier, Encoder, OnnxClassifier, OnnxEncoder, clip_shape
from service.engine import Engine
from service.metrics import Metrics
from service.settings import Settings

_log = structlog.get_logger("gaitkeeper")

DEFAULT_GALLERY = "default"


def open_engine(settings: Settings, metrics: Metrics) -> Engine:
    """Everything a request needs, loaded and run once. Raises `InvalidBundle` or `StoreUnavailable`.

    The gallery `default` is made if it is not there, so that the first enrollment needs no other request.
    """
    bundle = open_bundle(settings.encoder or shipped(DEFAULT_ENCODER))
    # Half the processors, so that decoding and searching go on beside the model.
    threads = settings.threads or max(1, len(os.sched_getaffinity(0)) // 2)
    encoder = OnnxEncoder(bundle, threads=threads)
    classifier = OnnxClassifier(open_bundle(settings.classifier or shipped(DEFAULT_CLASSIFIER)), threads=threads)
    prior = bundle.calibration_json()
    priors = {bundle.fingerprint: Calibration.from_json(prior)} if prior else {}
    store = _open_store(settings)
    policy = IndexPolicy(settings.index)
    library = Library(store, priors=priors, policy=policy, replay=ReplayPolicy(), recorder=Recorder(store))
    _warm(encoder, classifier)
    _prepare_galleries(library, encoder)
    keeping = (Follower(library), Maintenance(library))
    return Engine(encoder, classifier, library, settings.limits, metrics, keeping)


def _open_store(settings: Settings) -> Store:
    masters = None if settings.keys is None else open_masters(settings.keys, settings.data)
    database = None if settings.database is None else settings.database.get_secret_value()
    return open_store(settings.data, masters=masters, database=database)


def _warm(encoder: Encoder, classifier: Classifier) -> None:
    """The first call of a model is slow; let it not be a caller's."""
    for model, call in ((encoder, encoder.embed_clips), (classifier, classifier.probabilities)):
        call(np.zeros(clip_shape(model.layout, model.clip, 1, model.clip.frames), np.float32))


def _prepare_galleries(library: Library, encoder: Encoder) -> None:
    try:
        library.ensure(DEFAULT_GALLERY, fingerprint=encoder.fingerprint, dim=encoder.dim)
    except BundleMismatch as error:
        _log.warning("requests about this gallery will be refused", gallery=DEFAULT_GALLERY, reason=str(error))
    for gallery in library.galleries():
        if gallery.fingerprint == encoder.fingerprint:
            library.warm(gallery.name)
