"""The service as the image, the unit and the pod run it: not root, without rights, on a read-only file system."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

import gaitkeeper

ROOT = Path(gaitkeeper.__file__).parent
UID = "10001"
PATIENCE_S = 60.0
# Everything that is mounted becomes read-only, but for what the service is given.
ENTER = """
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=1777 tmpfs {given}
mkdir -m 0700 {given}/data && chown {uid}:{uid} {given}/data
awk '{{print $2}}' /proc/mounts | grep -Ev '^/(proc|sys|dev)' | grep -v '^{given}' | while read -r each; do
    mount -o remount,bind,ro "$each" 2>/dev/null || true
done
mount -t tmpfs -o mode=1777 tmpfs /tmp
cd /
exec setpriv --reuid {uid} --regid {uid} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
"""


def confined(given: Path, *line: str, **more: str) -> "subprocess.Popen[str]":
    """Starts a program so; it may write below `given`/data and into an empty /tmp of its own."""
    enter = ENTER.format(given=given, uid=UID)
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **more}
    return subprocess.Popen(
        ["unshare", "--mount", "bash", "-c", enter, "enter", *line],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def given() -> Path:
    """A folder of the machine's own that is nobody's; what is put into it is seen by the confined alone."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "setpriv"))):
        pytest.skip("only root may put a program into a file system of its own")
    folder = Path("/mnt")
    trial = confined(folder, sys.executable, "-P", "-c", "import gaitkeeper")
    said = trial.communicate(timeout=60)[1]
    if trial.returncode:
        pytest.skip(f"this machine does not let another user run us: {said[-200:]}")
    return folder


def test_the_confined_can_write_nowhere_else(given: Path) -> None:
    code = "import sys\nfor p in sys.argv[1:]:\n  try: open(p + '/x', 'w'); print(p)\n  except OSError: pass"
    tried = ["/", "/etc", "/var", "/root", str(ROOT), "/tmp", f"{given}/data"]
    done = confined(given, sys.executable, "-P", "-c", code, *tried)
    assert done.communicate(timeout=60)[0].split() == ["/tmp", f"{given}/data"]
    assert not (Path("/tmp") / "x").exists()


def test_the_service_starts_answers_and_ends(given: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = (sys.executable, "-P", "-m", "gaitkeeper", "serve", "--host", "0.0.0.0", "--port", str(port))
    more = {"GAITKEEPER_DATA": f"{given}/data", "MPLCONFIGDIR": "/tmp", "OMP_NUM_THREADS": "1"}
    service = confined(given, *line, **more)
    try:
        assert service.stdout is not None
        said = service.stdout.readline() + service.stdout.readline()
        key = re.search(r"gk_\w+_[\w-]+", said)
        assert key, said
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key[0]}"}) as http:
            end = time.monotonic() + PATIENCE_S
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if http.get("/readyz").status_code == 200:
                        break
                assert time.monotonic() < end
            assert http.get("/models").json()["models"][0]["task"] == "encoder"
            assert http.post("/galleries", json={"name": "staff"}).status_code == 201
    finally:
        service.terminate()
        errors = service.communicate(timeout=60)[1]
    assert service.returncode == 0, errors
    assert "rror" not in errors, errors
