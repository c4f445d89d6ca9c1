"""Traces: none unless asked for; then a span for each request and its parts, with nobody's name in it."""

import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import service
from gallery.library import Library
from model.errors import InvalidRequest
from service.app import create_app
from service.engine.engine import Engine
from service.operation import telemetry
from service.operation.metrics import Metrics
from service.settings import Settings
from tests.fakes import FakeClassifier, FakeEncoder
from tests.service.client import started
from tests.service.conftest import person

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_request_is_a_span_of_its_caller_s_trace_with_its_parts_within(
    library: Library, encoder: FakeEncoder
) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    settings = Settings.read({}, access="loopback")
    engine = Engine(encoder, FakeClassifier(), library, settings.limits, Metrics())
    with started(create_app(settings, engine, provider)) as client:
        enrolled = client.post("/galleries/default/subjects/secret-name/templates", json={"sequence": person(1)})
        assert enrolled.status_code == 201
        headers = {"traceparent": PARENT, "X-Request-Id": "mine-1"}
        assert client.post("/identify", json={"sequence": person(1)}, headers=headers).status_code == 200
        client.get("/nowhere/secret-name")
        client.get("/readyz")
    spans = exporter.get_finished_spans()
    asked = next(each for each in spans if each.name == "POST /identify")
    assert asked.context is not None
    assert f"{asked.context.trace_id:032x}" == PARENT.split("-")[1]
    assert dict(asked.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/identify",
        "http.response.status_code": 200,
        "gaitkeeper.request_id": "mine-1",
        "gaitkeeper.caller": "loopback",
    }
    parts = [each.name for each in spans if each.parent and each.parent.span_id == asked.context.span_id]
    assert parts == ["encode", "search"]
    assert "GET unmatched" in {each.name for each in spans}
    assert not [each for each in spans if "readyz" in each.name]
    assert "secret-name" not in "".join(each.to_json() for each in spans)


def test_without_the_variables_nothing_that_records_or_sends_is_imported() -> None:
    code = """
import sys
from service.operation import telemetry
with telemetry.exporting({"OTEL_SERVICE_NAME": "x"}) as provider:
    assert provider is None
    with telemetry.span("encode"):
        pass
import service.app
assert not [name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))]
"""
    root = Path(service.__file__).parent.parent
    subprocess.run([sys.executable, "-P", "-c", code], check=True, cwd=root, timeout=120)


def test_traces_that_are_asked_for_and_cannot_be_sent_are_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    with pytest.raises(InvalidRequest, match="telemetry"), telemetry.exporting(asked):
        pass
