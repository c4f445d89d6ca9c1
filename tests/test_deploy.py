"""The files of deploy/ against the code that they start, and against the linters and schemas of those who read them."""

import configparser
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from compose_pydantic import ComposeSpecification

import gaitkeeper
from gallery.keys.file import FileMasters
from service.access.authenticate import OPEN
from service.engine.engine import Engine
from service.operation.metrics import Metrics
from service.settings import PREFIX, Limits, Settings
from tests.fakes import FakeClassifier, FakeEncoder
from tests.service.conftest import open_library

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
DOCKERFILES = ("Dockerfile", "Dockerfile.gpu")
KUBERNETES = DEPLOY / "kubernetes"
# Of the machine and of Prometheus itself, not of ours.
FOREIGN_METRICS = {"up"}


def lines(commented: bool = False) -> dict[str, str]:
    pattern = re.compile(rf"^{'(?:# )?' if commented else ''}({PREFIX}\w+)=(.*)$", re.MULTILINE)
    return dict(pattern.findall((DEPLOY / "gaitkeeper.env").read_text()))


def checked(*line: object) -> str:
    """What a linter says that finds nothing wrong."""
    done = subprocess.run([*map(str, line)], capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


# Settings


def test_the_environment_file_holds_the_defaults() -> None:
    assert Settings.read(lines()) == Settings()


def test_the_environment_file_names_every_setting() -> None:
    names = {name for name in Settings.model_fields if name != "limits"}
    names |= {f"limits__{name}" for name in Limits.model_fields}
    assert set(lines(commented=True)) == {f"{PREFIX}{name.upper()}" for name in names}


# Images


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_copies_files_that_are_there_and_all_that_is_imported(name: str) -> None:
    text = (DEPLOY / name).read_text()
    copied = [
        source for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE) for source in shlex.split(line)[:-1]
    ]
    assert all((ROOT / source).exists() for source in copied)
    packages = {module.partition(".")[0] for module, _, _ in gaitkeeper.COMMANDS.values()}
    assert packages | {"gaitkeeper.py", "constraints.txt"} <= set(copied)
    ignored = set((ROOT / ".dockerignore").read_text().split())
    assert not ignored & set(copied)


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_is_not_root_s_and_installs_one_build_of_what_computes(name: str) -> None:
    text = (DEPLOY / name).read_text()
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE), "a number, which runAsNonRoot can be held against"
    extras = re.search(r"editable '\.\[(.+)\]'", text)
    assert extras
    assert (set(extras[1].split(",")) & {"cpu", "gpu"}) == ({"gpu"} if "gpu" in name else {"cpu"})
    assert "train" not in extras[1]


@pytest.mark.parametrize("name", DOCKERFILES)
def test_hadolint_finds_nothing(name: str) -> None:
    checked(Path(sys.executable).with_name("hadolint"), DEPLOY / name)


# Compose


def composed(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text())
    return found


@pytest.mark.parametrize("name", ["compose.yaml", "compose.gpu.yaml"])
def test_a_compose_file_is_one_by_the_schema_of_compose(name: str) -> None:
    ComposeSpecification.model_validate(composed(name))


def test_compose_confines_every_service_and_offers_none_to_other_machines() -> None:
    for name, service in composed("compose.yaml")["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert "build" in service or re.fullmatch(r"[\w./-]+:v?\d+\.\d+[\w.-]*", service["image"]), name


def test_compose_names_files_settings_volumes_and_networks_that_are_there() -> None:
    found = composed("compose.yaml")
    for service in found["services"].values():
        assert set(service["networks"]) <= set(found["networks"])
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in found["volumes"]
    ours = found["services"]["gaitkeeper"]
    assert (DEPLOY / ours["build"]["context"] / ours["build"]["dockerfile"]).is_file()
    assert (DEPLOY / ours["env_file"]).is_file()
    secret = "${POSTGRES_PASSWORD:?see compose.env.example}"
    given = {name: value.replace(secret, "x") for name, value in ours["environment"].items()}
    settings = Settings.read({**lines(), **given})
    graceful = int(ours["stop_grace_period"].rstrip("s"))
    assert graceful > settings.drain_seconds + settings.shutdown_seconds
    wanted = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    assert wanted == set(re.findall(r"^(\w+)=", (DEPLOY / "compose.env.example").read_text(), re.MULTILINE))


# Prometheus and Grafana


def test_promtool_finds_nothing_wrong_and_the_alerts_do_what_they_should() -> None:
    checked("promtool", "check", "config", DEPLOY / "prometheus" / "prometheus.yml")
    said = checked("promtool", "test", "rules", DEPLOY / "prometheus" / "alerts.test.yml")
    assert "SUCCESS" in said
    tried = (DEPLOY / "prometheus" / "alerts.test.yml").read_text()
    untried = [rule["alert"] for rule in rules() if f"alertname: {rule['alert']}" not in tried]
    assert untried == ["GaitkeeperMatchesDrifted"], "which is GaitkeeperImpostorsDrifted but for a word"


def rules() -> list[dict[str, Any]]:
    found = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    return [rule for group in found for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboards" / "gaitkeeper.json").read_text())
    return found


def queries() -> Iterator[str]:
    """All that dashboard and alerts ask Prometheus."""
    board = dashboard()
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in board["panels"] for target in panel.get("targets", ()))
    yield from (each["query"]["query"] for each in board["templating"]["list"])


@pytest.fixture
def metrics(tmp_path: Path) -> set[str]:
    """Names of all series that the service has."""
    encoder = FakeEncoder()
    library = open_library(tmp_path, encoder)
    library.warm("default")
    engine = Engine(encoder, FakeClassifier(), library, Limits(), Metrics())
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}
    families = list(engine.metrics.registry.collect())
    engine.close()
    return {family.name + suffix for family in families for suffix in suffixes.get(family.type, ("",))}


def test_every_query_is_one_and_asks_for_metrics_and_labels_that_are_there(metrics: set[str], tmp_path: Path) -> None:
    asked = list(queries())
    names = {name for query in asked for name in re.findall(r"\b(?:gaitkeeper|process)_\w+|\bup\b", query)}
    assert names <= metrics | FOREIGN_METRICS, names - metrics
    plain = [query for query in asked if not query.startswith("label_values")]
    rules_of = [{"record": f"q{n}", "expr": query.replace("$__rate_interval", "5m")} for n, query in enumerate(plain)]
    (tmp_path / "queries.yml").write_text(json.dumps({"groups": [{"name": "queries", "rules": rules_of}]}))
    checked("promtool", "check", "rules", tmp_path / "queries.yml")


def test_the_dashboard_s_panels_have_numbers_of_their_own_and_a_datasource_that_is_provisioned() -> None:
    board = dashboard()
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(set(numbers)) == len(numbers)
    provisioned = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text())
    known = {each["uid"] for each in provisioned["datasources"]}
    assert {panel["datasource"]["uid"] for panel in board["panels"] if "datasource" in panel} == known
    for panel in board["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
    placed = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/gaitkeeper.yaml").read_text())["providers"]
    where = composed("compose.yaml")["services"]["grafana"]["volumes"]
    assert any(volume.split(":")[1] == placed[0]["options"]["path"] for volume in where)


# Kubernetes


def manifests(folder: Path) -> list[dict[str, Any]]:
    return [
        each
        for path in sorted(folder.rglob("*.yaml"))
        if path.name != "kustomization.yaml"
        for each in yaml.safe_load_all(path.read_text())
    ]


def rendered(overlay: str) -> list[dict[str, Any]]:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not here to put overlays together")
    return list(yaml.safe_load_all(checked("kubectl", "kustomize", KUBERNETES / overlay)))


def validate(found: list[dict[str, Any]]) -> None:
    for each in found:
        kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)


def test_every_manifest_of_the_base_is_valid_and_named_in_it() -> None:
    validate(manifests(KUBERNETES / "base"))
    listed = yaml.safe_load((KUBERNETES / "base" / "kustomization.yaml").read_text())["resources"]
    assert set(listed) == {path.name for path in (KUBERNETES / "base").glob("*.yaml")} - {"kustomization.yaml"}


@pytest.mark.parametrize("overlay", ["base", "overlays/single", "overlays/gpu", "overlays/ingress"])
def test_every_overlay_is_valid_when_it_is_put_together(overlay: str) -> None:
    validate(rendered(overlay))


def test_one_process_with_sqlite_asks_for_no_database_and_is_not_multiplied() -> None:
    found = rendered("overlays/single")
    assert {each["kind"] for each in found}.isdisjoint({"HorizontalPodAutoscaler", "PodDisruptionBudget"})
    pod = next(each for each in found if each["kind"] == "StatefulSet")["spec"]
    assert pod["replicas"] == 1
    assert not pod["template"]["spec"]["containers"][0].get("env")


def test_a_pod_is_confined_probed_and_given_time_to_finish() -> None:
    pod = next(each for each in manifests(KUBERNETES / "base") if each["kind"] == "StatefulSet")["spec"]["template"][
        "spec"
    ]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]
    probed = {container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert probed == {"/healthz", "/readyz"} <= OPEN
    given = next(each for each in manifests(KUBERNETES / "base") if each["kind"] == "ConfigMap")["data"]
    settings = Settings.read(given)
    assert pod["terminationGracePeriodSeconds"] > settings.drain_seconds + settings.shutdown_seconds
    probe = container["readinessProbe"]
    assert settings.drain_seconds > probe["periodSeconds"] * probe["failureThreshold"]
    assert settings.keys == f"file:{container['volumeMounts'][1]['mountPath']}/master.key"


# systemd


def test_the_unit_starts_the_service_as_its_own_user_and_gives_it_time_to_finish() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read(DEPLOY / "gaitkeeper.service")
    found = unit["Service"]
    assert found["ExecStart"].endswith("gaitkeeper serve")
    assert found["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert found["User"] == "gaitkeeper"
    assert found["EnvironmentFile"].endswith("gaitkeeper.env")
    assert int(found["TimeoutStopSec"]) > Settings().drain_seconds + Settings().shutdown_seconds


def test_systemd_knows_every_line_of_the_units_and_finds_the_service_confined(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not here")
    for name in ("gaitkeeper.service", "gaitkeeper-backup.service", "gaitkeeper-backup.timer"):
        text = (DEPLOY / name).read_text()
        (tmp_path / name).write_text(
            re.sub(r"/opt/gaitkeeper/(?:\.venv/bin/gaitkeeper|deploy/backup\.sh)", "/bin/true", text)
        )
        assert checked("systemd-analyze", "verify", tmp_path / name).strip() == ""
    checked("systemd-analyze", "security", "--offline=true", "--threshold=20", tmp_path / "gaitkeeper.service")


def test_the_nightly_backup_has_the_service_s_settings() -> None:
    service, backup = ((DEPLOY / f"{name}.service").read_text() for name in ("gaitkeeper", "gaitkeeper-backup"))
    for line in ("EnvironmentFile=/etc/gaitkeeper/gaitkeeper.env", "User=gaitkeeper"):
        assert line in service
        assert line in backup
    assert "Environment=GAITKEEPER_DATA=/var/lib/gaitkeeper" in backup


# Scripts


@pytest.mark.parametrize("name", ["backup.sh", "restore.sh"])
def test_a_script_is_executable_and_understood_by_a_plain_shell(name: str) -> None:
    assert (DEPLOY / name).stat().st_mode & 0o111
    checked("sh", "-n", DEPLOY / name)


# Words


def test_the_readme_names_files_that_are_there_and_a_master_key_that_can_be_used(tmp_path: Path) -> None:
    text = (DEPLOY / "README.md").read_text()
    table = re.findall(r"^\| (`.+?) \|", text, re.MULTILINE)
    named = [name for row in table for name in re.findall(r"`([^`]+)`", row)]
    assert named
    assert all((DEPLOY / name).exists() for name in named)
    there = {path.name for path in DEPLOY.iterdir()} - {"README.md"}
    assert there == {name.partition("/")[0] for name in named}
    line = next(line for line in text.splitlines() if "openssl rand" in line)
    subprocess.run(["bash", "-c", line], check=True, cwd=tmp_path)
    masters = FileMasters(tmp_path / "master.key")
    assert masters.unwrap(*masters.wrap(b"plain", b"bound"), b"bound") == b"plain"
