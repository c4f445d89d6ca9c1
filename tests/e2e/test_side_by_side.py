"""The command line beside the running service: each sees what the other did, at once."""

import json
import signal
import subprocess
import time
from pathlib import Path

from tests.e2e.command import COMMAND, Service, call, environment, fill_up, serving, walk, walk_file
from tests.e2e.conftest import Typed

PEOPLE, COPIES = 12, 30


def test_what_a_command_does_the_next_request_sees(service: Service, gallery: str, tmp_path: Path) -> None:
    def command(*line: object) -> None:
        done = call(*line, "--gallery", gallery, "--data", service.data, cwd=tmp_path)
        assert done.returncode == 0, done.stderr

    assert service.enroll("ben", walk(2), gallery).status_code == 201
    assert service.identify(walk(1, 3), gallery).json()["searched"] == 1
    command("enroll", walk_file(1), "--subject", "ada")
    found = service.identify(walk(1), gallery).json()
    assert (found["outcome"], found["subject"], found["searched"]) == ("match", "ada", 2)
    command("subjects", "erase", "ada", "--yes")
    found = service.identify(walk(1), gallery).json()
    assert (found["subject"], found["searched"]) == (None, 1)
    assert "ada" not in json.dumps(found)
    assert service.http.get(f"/galleries/{gallery}/subjects/ada").status_code == 404


def test_what_a_request_did_the_next_command_sees(service: Service, gallery: str, typed: Typed) -> None:
    where = ("--gallery", gallery, "--data", service.data)
    assert service.enroll("ada", walk(1), gallery).status_code == 201
    assert json.loads(typed("identify", walk_file(1), *where, "--json")[1])["decision"]["subject"] == "ada"
    assert "ada has this recording" in typed("enroll", walk_file(1), "--subject", "ada", *where)[1]
    assert service.http.delete(f"/galleries/{gallery}/subjects/ada").status_code == 200
    code, _, err = typed("identify", walk_file(1), *where)
    assert (code, "enroll somebody first" in err) == (2, True)
    assert service.http.delete(f"/galleries/{gallery}").status_code == 204
    assert "no gallery" in typed("identify", walk_file(1), *where)[2]


def test_command_and_service_score_alike(service: Service, gallery: str, typed: Typed) -> None:
    for subject in (1, 2, 3):
        assert service.enroll(f"walker-{subject}", walk(subject), gallery).status_code == 201
    over_http = service.identify(walk(2, 3), gallery).json()
    typed_in = json.loads(
        typed("identify", walk_file(2, 3), "--gallery", gallery, "--data", service.data, "--json")[1]
    )["decision"]
    assert over_http["subject"] == typed_in["subject"] == "walker-2"
    assert abs(over_http["score"] - typed_in["score"]) < 1e-5
    assert abs(over_http["threshold"] - typed_in["threshold"]) < 1e-5


def test_ctrl_c_in_a_batch_keeps_what_the_service_has_seen_and_the_same_command_goes_on(
    service: Service, gallery: str, tmp_path: Path
) -> None:
    lines = [f"{walk_file(person + 1)},{person}-{copy}" for copy in range(COPIES) for person in range(PEOPLE)]
    people = tmp_path / "people.csv"
    people.write_text("\n".join(["file,subject", *lines]) + "\n")
    command = ["enroll", "--manifest", str(people), "--gallery", gallery, "--data", str(service.data)]
    batch = subprocess.Popen([*COMMAND, *command], env=environment(), stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while batch.poll() is None and not enrolled(service, gallery) and time.monotonic() < deadline:
        time.sleep(0.01)
    batch.send_signal(signal.SIGINT)
    said = batch.communicate(timeout=60)[1]
    kept = enrolled(service, gallery)
    assert batch.returncode == 130, said
    assert "the same command goes on from here" in said
    assert "Traceback" not in said
    assert 0 < kept < len(lines)
    assert service.identify(walk(1), gallery).json()["searched"] == kept
    done = call(*command, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["enrolled"], told["repeated"], told["refused"]) == (len(lines) - kept, kept, 0)
    assert enrolled(service, gallery) == len(lines)


def enrolled(service: Service, gallery: str) -> int:
    return int(service.http.get(f"/galleries/{gallery}").json()["templates"])


def test_a_service_on_a_full_disk_goes_on_answering_and_loses_nothing(small_disk: Path) -> None:
    with serving(small_disk / "data") as service:
        assert service.enroll("ada", walk(1)).status_code == 201
        fill_up(small_disk)
        refused = [service.enroll(f"eve-{i}", walk(2)) for i in range(20)][-1]
        assert refused.status_code == 503
        assert "free some space and repeat" in refused.json()["detail"]
        assert service.identify(walk(1)).json()["subject"] == "ada"
        (small_disk / "fill").unlink()
        assert service.enroll("ben", walk(2)).status_code == 201
        assert service.identify(walk(1)).json()["subject"] == "ada"
