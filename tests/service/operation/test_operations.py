"""Health, readiness, metrics, what GET /operations tells, and what every answer carries."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

import service
from gallery.library import Library
from gallery.template import NewTemplate
from model.clips import ClipSpec, to_clips
from model.named_layouts import COCO_17
from service.access.caller import LOOPBACK, Caller, Scope
from service.answers.operations import Backlog, Operations
from service.engine.engine import Engine
from service.operation.collectors import GALLERIES, Galleries
from service.operation.operations import operations
from service.operation.readiness import Readiness
from service.operation.shared import Shared
from tests.fakes import FakeEncoder, walking
from tests.service.client import Client, started
from tests.service.conftest import Serve, make_app, person

ROOT = Path(service.__file__).parent.parent


def engine_of(client: Client) -> Engine:
    engine: Engine = client.app.state.engine
    return engine


def test_it_is_healthy_and_ready(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "ready": True,
        "checks": dict.fromkeys(("encoder", "classifier", "search", "store", "index", "keys", "disk", "callers"), "ok"),
    }


def test_it_is_not_ready_when_a_worker_has_stopped(client: Client) -> None:
    engine_of(client).encoding.batcher.close()
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["encoder"] == "its worker has stopped"
    assert client.get("/healthz").status_code == 200


class Dying(FakeEncoder):
    """Ends the thread that runs it, as nothing of ours does."""

    def embed_clips(self, clips: Any) -> Any:
        raise SystemExit


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_process_whose_worker_has_died_of_itself_is_not_healthy(serve: Serve, encoder: FakeEncoder) -> None:
    client = serve(Dying())
    client.post("/embed", json={"sequence": person()}, headers={"X-Deadline-Ms": "1000"})
    health = client.get("/healthz")
    assert (health.status_code, health.json()) == (503, {"status": "died"})
    assert client.get("/readyz").json()["checks"]["encoder"] == "its worker has stopped"


def test_it_is_not_ready_when_the_store_is_gone(client: Client, library: Library, tmp_path: Path) -> None:
    for file in list(tmp_path.iterdir()):
        file.rename(file.with_suffix(".gone"))
    (tmp_path / "gaitkeeper.db").mkdir()
    library.store.close()  # whatever is opened from here on is opened anew
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["store"] != "ok"
    refused = client.get("/galleries")
    assert refused.status_code == 503
    assert refused.json()["type"] == "urn:gaitkeeper:problem:store-unavailable"


def test_metrics_tell_of_the_indexes_that_are_open(client: Client) -> None:
    client.post("/galleries/default/subjects/ada/templates", json={"sequence": person(1)})
    seq = client.post("/identify", json={"sequence": person(1)}).json()["seq"]
    text = client.get("/metrics").text
    assert 'gaitkeeper_index_templates{gallery="1",kind="flat"} 1.0' in text
    assert f'gaitkeeper_index_change{{gallery="1"}} {float(seq)}' in text
    assert "gaitkeeper_index_rebuilt_total 0.0" in text


def test_metrics_count_requests_by_route_and_name_nobody(client: Client) -> None:
    client.post("/galleries/default/subjects/secret-name/templates", json={"sequence": person(1)})
    client.post("/identify", json={"sequence": person(1)})
    client.post("/identify", json={"sequence": person(1, frames=5)})
    client.get("/nowhere/secret-name")
    text = client.get("/metrics").text
    enroll = 'route="/galleries/{gallery}/subjects/{subject}/templates",status="201"'
    assert f'gaitkeeper_request_seconds_count{{method="POST",{enroll}}} 1.0' in text
    assert 'gaitkeeper_request_seconds_count{method="GET",route="unmatched",status="404"} 1.0' in text
    assert 'gaitkeeper_batch_items_count{stage="encode"} 2.0' in text
    assert 'gaitkeeper_batch_items_count{stage="search"} 1.0' in text
    assert 'gaitkeeper_decisions_total{kind="identify",outcome="match"} 1.0' in text
    assert 'gaitkeeper_abstain_reasons_total{reason="too_short"} 1.0' in text
    assert 'gaitkeeper_queue_requests{stage="encode"} 0.0' in text
    assert "secret-name" not in text


def test_metrics_tell_of_models_readiness_lag_and_the_process(client: Client, encoder: FakeEncoder) -> None:
    client.post("/galleries/default/subjects/ada/templates", json={"sequence": person(1)})
    client.post("/identify", json={"sequence": person(1)})
    text = client.get("/metrics").text
    mark = encoder.fingerprint[:16]
    assert f'gaitkeeper_model_info{{fingerprint="{mark}",name="encoder",task="encoder"}} 1.0' in text
    assert 'gaitkeeper_ready{check="store"} 1.0' in text
    assert 'gaitkeeper_index_lag{gallery="1"} 0.0' in text
    assert "gaitkeeper_index_galleries 1.0" in text
    assert "gaitkeeper_requests_inside 0.0" in text
    assert "process_resident_memory_bytes" in text
    assert 'gaitkeeper_drift_samples{gallery="1",of="mean_confidence"} 1.0' in text


def test_metrics_and_operations_tell_of_streams_and_of_work_that_waits(client: Client) -> None:
    opened = client.post("/streams", json={"layout": "coco-17", "fps": 25})
    assert opened.status_code == 201, opened.text
    text = client.get("/metrics").text
    assert "gaitkeeper_streams 1.0" in text
    assert 'gaitkeeper_jobs{state="queued"} 0.0' in text
    assert "gaitkeeper_deliveries 0.0" in text
    assert client.get("/operations").json()["streams"] == 1


def test_many_who_ask_at_once_share_an_answer() -> None:
    asyncio.run(many_who_ask())


async def many_who_ask() -> None:
    asked: list[int] = []

    def find() -> int:
        asked.append(1)
        time.sleep(0.05)
        return len(asked)

    shared = Shared()
    assert await asyncio.gather(*(shared.ask("x", find) for _ in range(50))) == [1] * 50
    assert await shared.ask("x", find) == 2
    assert await shared.ask("y", find) == 3


def test_methods_that_nobody_knows_share_one_series(client: Client) -> None:
    for method in ("BREW", "WHEN", "PROPFIND"):
        client.request(method, "/identify")
    text = client.get("/metrics").text
    assert 'method="other"' in text
    assert "BREW" not in text


def test_galleries_beyond_the_bound_are_counted_and_have_no_series(library: Library, encoder: FakeEncoder) -> None:
    for number in range(GALLERIES + 1):
        library.create(f"g{number}", fingerprint=encoder.fingerprint, dim=encoder.dim)
        library.warm(f"g{number}")
    found = {family.name: family.samples for family in Galleries(library).collect()}
    assert len(found["gaitkeeper_index_templates"]) == len(found["gaitkeeper_index_lag"]) == GALLERIES
    assert found["gaitkeeper_index_galleries"][0].value == GALLERIES + 1
    library.close()


def test_operations_tell_how_the_process_is_doing(client: Client) -> None:
    client.post("/galleries/default/subjects/ada/templates", json={"sequence": person(1)})
    client.post("/identify", json={"sequence": person(1)})
    client.post("/identify", json={"sequence": person(1, frames=5)})
    told = msgspec.json.decode(client.get("/operations").content, type=Operations)
    assert (told.phase, told.ready, told.inside, told.streams, told.listeners) == ("serving", True, 1, 0, 0)
    assert told.backlog == Backlog(queued=0, running=0, deliveries=0, late_seconds=0.0)
    queues = {each.stage: each for each in told.queues}
    assert set(queues) == {"encode", "classify", "search"}
    assert (queues["encode"].batches, queues["encode"].items, queues["encode"].sizes["1"]) == (2, 1.0, 2)
    assert queues["search"].worked is not None
    asked = next(each for each in told.routes if (each.method, each.route) == ("POST", "/identify"))
    assert (asked.answered, asked.failed) == ({"200": 2}, 0)
    assert asked.times is not None
    assert 0 < asked.times.p50 <= asked.times.p99
    assert {(each.outcome, each.count) for each in told.decisions} == {("match", 1), ("abstain", 1)}
    assert told.abstained == {"too_short": 1}
    gallery = told.galleries[0]
    assert (gallery.gallery, gallery.templates, gallery.behind, gallery.calibration) == ("default", 1, 0, "test")
    assert {(each.of, each.state, each.samples) for each in gallery.drift} >= {("mean_confidence", "few", 1)}
    assert told.process.memory_bytes > 0
    assert "ada" not in client.get("/operations").text


def test_operations_tell_of_no_gallery_that_the_caller_does_not_reach(library: Library, encoder: FakeEncoder) -> None:
    app = make_app(library, encoder)
    with started(app) as client:
        client.post("/galleries", json={"name": "other"})
        for gallery in ("default", "other"):
            client.post(f"/galleries/{gallery}/subjects/ada/templates", json={"sequence": person(1)})
            client.post("/identify", json={"gallery": gallery, "sequence": person(1)})
        bound = Caller("key:1", frozenset({Scope.AUDIT}), frozenset({"other"}))
        told = operations(engine_of(client), app, bound)
        assert [each.gallery for each in told.galleries] == ["other"]
        assert len(operations(engine_of(client), app, LOOPBACK).galleries) == 2


def test_it_is_not_ready_with_too_little_free_space(library: Library) -> None:
    readiness = Readiness(library, dict, free_disk_mb=1 << 40)
    assert "MiB are free" in readiness.checks()["disk"]
    library.close()


def test_it_is_not_ready_without_its_master_key_and_makes_no_new_one(library: Library, tmp_path: Path) -> None:
    (tmp_path / "master.key").rename(tmp_path / "lost.key")
    assert Readiness(library, dict, 0).checks()["keys"] != "ok"
    assert not (tmp_path / "master.key").exists()
    library.close()


class Standing:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_is_not_ready_while_an_index_does_not_follow_the_store(library: Library, encoder: FakeEncoder) -> None:
    clock = Standing()
    readiness = Readiness(library, dict, 0, clock=clock)
    library.warm("default")
    assert readiness.checks()["index"] == "ok"
    new = NewTemplate("ada", encoder.embed_clips(walking_clips())[0])
    library.enroll("default", [new], fingerprint=encoder.fingerprint)
    assert readiness.checks()["index"] == "ok", "a moment behind is nothing"
    clock.now = 6.0
    assert readiness.checks()["index"] == "1 galleries are behind the store"
    library.warm("default")
    assert readiness.checks()["index"] == "ok"
    library.close()


def walking_clips() -> Any:
    return to_clips(walking(), ClipSpec(), COCO_17)


def test_every_answer_forbids_to_be_cached_or_sniffed(client: Client) -> None:
    for path in ("/healthz", "/galleries", "/nowhere"):
        headers = client.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"


def test_importing_the_application_leaves_torch_out() -> None:
    code = "import service.app, service.cli, sys; assert not {'torch', 'training'} & set(sys.modules)"
    subprocess.run([sys.executable, "-P", "-c", code], check=True, cwd=ROOT, timeout=120)
