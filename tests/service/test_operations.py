"""Health, readiness, metrics, and what every answer carries."""

import subprocess
import sys
from pathlib import Path

import service
from gallery.library import Library
from service.engine import Engine
from tests.service.client import Client
from tests.service.conftest import person

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
        "checks": dict.fromkeys(("encoder", "classifier", "search", "store", "index", "keys", "disk"), "ok"),
    }


def test_it_is_not_ready_when_a_worker_has_stopped(client: Client) -> None:
    engine_of(client).encoding.batcher.close()
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["checks"]["encoder"] == "its worker has stopped"
    assert client.get("/healthz").status_code == 200


def test_it_is_not_ready_when_the_store_is_gone(client: Client, library: Library, tmp_path: Path) -> None:
    library.store.close()
    for file in tmp_path.iterdir():
        file.rename(file.with_suffix(".gone"))
    (tmp_path / "gaitkeeper.db").mkdir()
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


def test_every_answer_forbids_to_be_cached_or_sniffed(client: Client) -> None:
    for path in ("/healthz", "/galleries", "/nowhere"):
        headers = client.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"


def test_importing_the_application_leaves_torch_out() -> None:
    code = "import service.app, service.cli, sys; assert not {'torch', 'training'} & set(sys.modules)"
    subprocess.run([sys.executable, "-P", "-c", code], check=True, cwd=ROOT, timeout=120)
