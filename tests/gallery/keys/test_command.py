"""The hook for key services, against small programs that stand for one."""

import sys
from base64 import b64encode

import pytest

from gallery.keys.masters import CommandMasters, open_masters
from model.errors import KeyUnavailable

# A service of one key: it "wraps" by turning bytes around and adding its key's name.
SERVICE = """
import base64, sys
verb, name = sys.argv[1], (sys.argv[2:] or ["k1"])[0]
if verb == "current":
    print("k1")
else:
    content = base64.b64decode(sys.stdin.read())
    if name != "k1":
        sys.exit(3)
    print(base64.b64encode(b"k1" + content[::-1] if verb == "wrap" else content[2:][::-1]).decode())
"""


def command(tmp_path, program=SERVICE):
    (tmp_path / "service.py").write_text(program)
    return f"{sys.executable} -I {tmp_path}/service.py"


def test_a_command_wraps_and_unwraps(tmp_path):
    masters = open_masters(f"command:{command(tmp_path)}", tmp_path)
    name, wrapped = masters.wrap(b"gallery key", b"gallery 1")
    assert name == masters.current == "k1"
    assert b"gallery key" not in wrapped
    assert masters.unwrap(name, wrapped, b"gallery 1") == b"gallery key"


def test_what_is_bound_stays_bound_whatever_the_service_does(tmp_path):
    masters = CommandMasters(command(tmp_path))
    name, wrapped = masters.wrap(b"gallery key", b"gallery 1")
    for bad in (wrapped[:-1] + bytes([wrapped[-1] ^ 1]), wrapped[:20], wrapped[:4] + b"zz" + wrapped[6:], b"\x01\x00a"):
        with pytest.raises(KeyUnavailable):
            masters.unwrap(name, bad, b"gallery 1")
    with pytest.raises(KeyUnavailable, match="damaged"):
        masters.unwrap(name, wrapped, b"gallery 2")
    with pytest.raises(KeyUnavailable, match="status 3"):
        masters.unwrap("k2", wrapped, b"gallery 1")


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; sys.exit(7)", "status 7"),
        ("import time; time.sleep(60)", "within 0.5 s"),
        ("", "id of a key"),
        ("print('a key with spaces')", "id of a key"),
        ("import sys; print('k1' if sys.argv[1] == 'current' else '~~~')", "not base64"),
        ("import sys; print('k1' if sys.argv[1] == 'current' else '')", "printed nothing"),
        ("import sys; print('k1' if sys.argv[1] == 'current' else 'A' * 80000)", "more than a key"),
        ("import sys; sys.stdout.buffer.write(b'k1' if sys.argv[1] == 'current' else b'\\xff' * 9)", "not base64"),
        # It says back what it was given, which is a key.
        (
            "import sys; print('k1') if sys.argv[1] == 'current' else (print(sys.stdin.read(), '~'), sys.exit(1))",
            "status 1",
        ),
    ],
)
def test_a_command_that_does_not_do_its_part_is_named_and_shows_no_key(tmp_path, program, said):
    masters = CommandMasters(command(tmp_path, program), time_limit_s=0.5 if "sleep" in program else 30)
    with pytest.raises(KeyUnavailable, match=said) as caught:
        masters.wrap(b"0123456789abcdef", b"")
    assert "0123456789abcdef" not in str(caught.value)
    assert b64encode(b"0123456789abcdef").decode()[:10] not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_command_that_is_not_there_is_named(tmp_path):
    with pytest.raises(KeyUnavailable, match="cannot be run"):
        _ = CommandMasters(f"{tmp_path}/nothing").current


def test_no_shell_reads_the_command(tmp_path):
    assert CommandMasters(f"{command(tmp_path, 'print(chr(107))')} ; touch {tmp_path}/made").current
    assert not (tmp_path / "made").exists()
