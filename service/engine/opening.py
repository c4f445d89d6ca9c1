"""From settings to an engine that is ready to answer: bundles checked and loaded, store opened, caches built."""

import os
from functools import partial

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
from model.bundle import DEFAULT_CLASSIFIER, DEFAULT_ENCODER, PARITY, Bundle, open_bundle, shipped
from model.errors import BundleMismatch, InvalidBundle
from model.execution import plan_for
from model.runtime import OnnxClassifier, OnnxEncoder, check_parity
from service.engine.engine import Engine
from service.engine.loaded import Loaded, as_classifier, as_encoder
from service.engine.reloading import Opened
from service.operation.metrics import Metrics
from service.settings import Settings

_log = structlog.get_logger("gaitkeeper")

DEFAULT_GALLERY = "default"
MOST_DIFFERENT = 1e-4


def open_engine(settings: Settings, metrics: Metrics) -> Engine:
    """Everything a request needs, loaded and run once. Raises `InvalidBundle` or `StoreUnavailable`.

    The gallery `default` is made if it is not there, so that the first enrollment needs no other request.
    """
    opened = open_models(settings)
    priors = {} if opened.prior is None else {opened.encoder.fingerprint: opened.prior}
    store = _open_store(settings)
    policy = IndexPolicy(settings.index)
    library = Library(store, priors=priors, policy=policy, replay=ReplayPolicy(), recorder=Recorder(store))
    _prepare_galleries(library, opened.encoder)
    keeping = (Follower(library), Maintenance(library))
    again = partial(open_models, settings, parity=True)
    return Engine(
        opened.encoder, opened.classifier, library, settings.limits, metrics, keeping, again, settings.free_disk_mb
    )


def open_models(settings: Settings, *, parity: bool = False) -> Opened:
    """The models of the deployment's bundles, checked, loaded and run once. parity: hold what they compute against what
    the trained networks did, which takes as long again.

    Raises `InvalidBundle`, `ModelMissing`, `InvalidRequest`.
    """
    bundle = open_bundle(settings.encoder or shipped(DEFAULT_ENCODER))
    labelling = open_bundle(settings.classifier or shipped(DEFAULT_CLASSIFIER))
    for each in (bundle, labelling) if parity else ():
        _check_parity(each)
    # Half the processors, so that decoding and searching go on beside the model.
    threads = settings.threads or max(1, len(os.sched_getaffinity(0)) // 2)
    plan = plan_for(settings.data, bundle, "encoder", settings.execution)
    encoder = as_encoder(OnnxEncoder(bundle, threads=threads, plan=plan), bundle.name)
    plan = plan_for(settings.data, labelling, "classifier", settings.execution)
    classifier = as_classifier(OnnxClassifier(labelling, threads=threads, plan=plan), labelling.name)
    prior = bundle.calibration_json()
    for model in (encoder, classifier):
        if model is not None:
            model.warm()
    return Opened(encoder, classifier, Calibration.from_json(prior) if prior else None)


def _check_parity(bundle: Bundle) -> None:
    if PARITY in bundle.manifest.files and not (worst := check_parity(bundle)) <= MOST_DIFFERENT:
        raise InvalidBundle(str(bundle.path), f"computes something else here: differs by {worst:.1e}")


def _open_store(settings: Settings) -> Store:
    masters = None if settings.keys is None else open_masters(settings.keys, settings.data)
    database = None if settings.database is None else settings.database.get_secret_value()
    return open_store(settings.data, masters=masters, database=database)


def _prepare_galleries(library: Library, encoder: Loaded) -> None:
    try:
        library.ensure(DEFAULT_GALLERY, fingerprint=encoder.fingerprint, dim=encoder.dim)
    except BundleMismatch as error:
        _log.warning("requests about this gallery will be refused", gallery=DEFAULT_GALLERY, reason=str(error))
    for gallery in library.galleries():
        if gallery.fingerprint == encoder.fingerprint:
            library.warm(gallery.name)
