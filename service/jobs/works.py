"""The kinds of jobs of this service, each bound to the engine that does it."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gallery import jobs
from gallery.calibration import Calibration
from gallery.store.jobs import Job
from model.bundle import DEFAULT_ENCODER, Bundle, open_bundle, shipped
from model.errors import InvalidRequest
from model.runtime import OnnxEncoder
from service.engine.engine import Engine
from service.engine.loaded import as_encoder
from service.jobs.hold import Hold
from service.jobs.lanes import Work
from service.jobs.patient import beside, patient_encoder
from service.settings import Settings

ENROLL, CALIBRATE, MIGRATE = "enroll", "calibrate", "migrate"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def works_of(engine: Engine, settings: Settings) -> list[Mapping[str, Work]]:
    """By lane, what does each kind."""
    measured = {CALIBRATE: partial(_calibrate, engine), MIGRATE: partial(_migrate, engine, partial(named, settings))}
    return [{ENROLL: partial(_enroll, engine)}, measured]


def named(settings: Settings, name: str | None) -> Bundle:
    """The bundle of this name, of those in the folder that the setting `bundles` names and those that are shipped;
    None: the deployment's encoder, as its folder holds it now. Raises `InvalidRequest`, `InvalidBundle`."""
    if name is None:
        return open_bundle(settings.encoder or shipped(DEFAULT_ENCODER))
    if not _NAME.fullmatch(name):
        raise InvalidRequest("bundle", "must be the name of a bundle, not a path")
    own: Path | None = None if settings.bundles is None else settings.bundles / name
    return open_bundle(own if own is not None and own.is_dir() else shipped(name))


def _enroll(engine: Engine, job: Job, hold: Hold) -> Mapping[str, Any]:
    return jobs.enroll_items(engine.library, patient_encoder(engine.encoding, hold.check), job, hold)


def _calibrate(engine: Engine, job: Job, hold: Hold) -> Mapping[str, Any]:
    return jobs.calibrate(engine.library, patient_encoder(engine.encoding, hold.check), job, hold)


def _migrate(engine: Engine, open_named: Callable[[str | None], Bundle], job: Job, hold: Hold) -> Mapping[str, Any]:
    """As `gallery.jobs.migrate`; and where no gallery needs the present encoder any more, the new one answers from now
    on in this process, as the result says: the setting `encoder` must name it too before the next start."""
    bundle = open_named(job.params.get("bundle"))
    model = as_encoder(OnnxEncoder(bundle, threads=1), bundle.name)
    model.warm()
    prior = bundle.calibration_json()
    if prior is not None:
        engine.library.use_prior(bundle.fingerprint, Calibration.from_json(prior))
    done = dict(jobs.migrate(engine.library, beside(model, engine.encoding, hold.check), job, hold))
    present = engine.encoding.fingerprint
    needed = any(each.fingerprint == present and each.templates for each in engine.library.galleries())
    done["answers"] = bool(done["switched"]) and (model.fingerprint == present or not needed)
    if done["answers"] and model.fingerprint != present:
        engine.reloading.adopt(model, None)
    return done
