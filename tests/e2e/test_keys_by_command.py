"""`gaitkeeper serve` asks for keys, and prints the first one, once."""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from gallery.api_keys import id_of
from tests.e2e.command import COMMAND, call, environment, one_line


@contextmanager
def serving_by_keys(data: Path) -> Iterator[tuple[str, list[str]]]:
    """Where it answers, and the lines that it printed until then; it goes on printing nothing."""
    command = [*COMMAND, "serve", "--port", "0", "--data", str(data)]
    with data.with_name("serve.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    first = process.stdout.readline().decode()
    where = first.split()[3].rstrip(",")
    try:
        while httpx.get(f"{where}/readyz").status_code != 200:
            time.sleep(0.05)
        lines: list[str] = []
        yield where, lines
    finally:
        process.send_signal(signal.SIGTERM)
        lines += process.communicate(timeout=30)[0].decode().splitlines()
    assert process.returncode == 0, data.with_name("serve.log").read_text()


def status(where: str, key: str, path: str = "/whoami") -> int:
    return httpx.get(f"{where}{path}", headers={"Authorization": f"Bearer {key}"}).status_code


def test_the_first_start_prints_an_admins_key_and_the_command_makes_and_ends_others_beside_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving_by_keys(data) as (where, printed):
        assert httpx.get(f"{where}/galleries").status_code == 401
        other = call("api-keys", "create", "--scopes", "admin", "--data", data, cwd=tmp_path)
        key = other.stdout.strip()
        assert status(where, key, "/keys") == 200
        assert call("api-keys", "revoke", id_of(key), "--yes", "--data", data, cwd=tmp_path).returncode == 0
        until = time.monotonic() + 10
        while status(where, key) == 200:
            assert time.monotonic() < until
            time.sleep(0.02)
    assert len(printed) == 2
    first = printed[0].split()[-1]
    assert id_of(first)
    with serving_by_keys(data) as (where, printed):
        assert status(where, first, "/keys") == 200
    assert printed == [], "nobody is shown a key again"
    assert first.split("_", 2)[2] not in data.with_name("serve.log").read_text()


def test_without_keys_nothing_else_than_loopback_is_listened_at(tmp_path: Path) -> None:
    said = one_line(call("serve", "--access", "loopback", "--host", "0.0.0.0", "--port", 0, cwd=tmp_path))
    assert "127.0.0.1" in said
    assert not (tmp_path / "gaitkeeper-data").exists()


def test_a_certificate_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    done = call(
        *("serve", "--port", 0, "--data", tmp_path / "data", "--tls-certificate", "a.pem", "--tls-key", "b.pem"),
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert "a.pem" in done.stderr.splitlines()[-1]
