"""A kill shows that nothing is left by half; that nothing is lost with the power takes a flush before each answer."""

from pathlib import Path

from tests.crash.tracing import Traced, in_order, operations_of, trace_operations, traced
from tests.postgres import PrivateServer

EXPECTED = ["enroll"] * 5 + ["erase"] * 5


def test_each_change_is_flushed_to_the_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    operations = operations_of(trace_operations(tmp_path / "data", None, tmp_path / "trace"))
    assert [each.kind for each in operations] == EXPECTED
    for each in operations:
        assert any(name.endswith("gaitkeeper.db-wal") for name in each.synced), each
        if each.kind == "erase":
            assert any(name.endswith("erasures.jsonl") for name in each.synced), each


def test_postgresql_flushes_each_change_before_it_is_acknowledged(tmp_path: Path) -> None:
    with PrivateServer(fsync="on") as server:
        url = server.server.create("durable")
        with traced(server.process, tmp_path / "server"):
            client = trace_operations(tmp_path / "data", url, tmp_path / "client")
        operations = operations_of(in_order(client, (tmp_path / "server").read_text().splitlines()))
    assert [each.kind for each in operations] == EXPECTED
    for each in operations:
        assert any("/pg_wal/" in name for name in each.synced), each


def test_a_write_after_the_flush_counts_as_not_flushed() -> None:
    lines = [
        '7 1.0 write(1</dev/null>, "BEGIN enroll", 12) = 12',
        '7 2.0 pwrite64(5</data/a-wal>, "x"..., 24, 0) = 24',
        "7 3.0 fdatasync(5</data/a-wal>) = 0",
        '7 4.0 pwrite64(5</data/a-wal>, "x"..., 24, 24) = 24',
        '7 5.0 write(1</dev/null>, "DONE enroll", 11) = 11',
    ]
    assert operations_of(lines) == [Traced("enroll", ())]
