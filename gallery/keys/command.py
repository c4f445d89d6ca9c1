"""Master keys behind a command of the operator's that asks a key service (KMS, HSM)."""

import shlex
import subprocess
from base64 import b64encode

from gallery.keys.ring import check_id, decode
from gallery.keys.sealing import KEY_BYTES, new_key, seal, unseal
from model.errors import InvalidArchive, KeyUnavailable

TIME_LIMIT_S = 30.0
_OUTPUT_LIMIT = 64 << 10
_LENGTH = 2


class CommandMasters:
    """`COMMAND current` prints the id of the current key; `COMMAND wrap ID` and `COMMAND unwrap ID` read base64 from
    stdin and print base64. Status 0, within the time limit; what it says on stderr goes where ours goes.

    The service sees no key of ours: it wraps a key made for each wrapping, and that seals what is to be wrapped. So
    what is bound stays bound, whatever the service does.
    """

    def __init__(self, command: str, time_limit_s: float = TIME_LIMIT_S) -> None:
        """Raises `KeyUnavailable` where `command` cannot be split into words; no shell is used."""
        try:
            self._command = shlex.split(command)
        except ValueError:
            self._command = []
        if not self._command:
            raise KeyUnavailable("command", "is no command line")
        self._time_limit_s = time_limit_s

    @property
    def current(self) -> str:
        name = self._run("current").decode("ascii", "replace").strip()
        if not check_id(name):
            raise KeyUnavailable(self._label("current"), "must print the id of a key")
        return name

    def wrap(self, plain: bytes, bound: bytes) -> tuple[str, bytes]:
        name, key = self.current, new_key()
        wrapped = self._convert("wrap", name, key)
        return name, len(wrapped).to_bytes(_LENGTH, "little") + wrapped + seal(key, plain, bound)

    def unwrap(self, name: str, wrapped: bytes, bound: bytes) -> bytes:
        end = _LENGTH + int.from_bytes(wrapped[:_LENGTH], "little")
        key = self._convert("unwrap", name, wrapped[_LENGTH:end])
        damaged = KeyUnavailable(name, "of the key service is not the key that wrapped this, or it is damaged")
        if len(key) != KEY_BYTES:
            raise damaged
        try:
            return unseal(key, wrapped[end:], bound)
        except InvalidArchive:
            raise damaged from None

    def _convert(self, verb: str, name: str, content: bytes) -> bytes:
        printed = self._run(verb, name, content=b64encode(content) + b"\n")
        found = decode(b"".join(printed.split()), self._label(verb))
        if not found or len(found) >= 1 << (8 * _LENGTH):
            raise KeyUnavailable(self._label(verb), "printed nothing, or more than a key can be")
        return found

    def _run(self, *words: str, content: bytes = b"") -> bytes:
        label = self._label(words[0])
        try:
            # The operator's own command, from the settings; no shell reads it.
            done = subprocess.run(  # noqa: S603
                [*self._command, *words], input=content, stdout=subprocess.PIPE, timeout=self._time_limit_s, check=False
            )
        except subprocess.TimeoutExpired:
            raise KeyUnavailable(label, f"gave no answer within {self._time_limit_s:g} s") from None
        except OSError as error:
            raise KeyUnavailable(label, f"cannot be run: {(error.strerror or 'error').lower()}") from None
        if done.returncode != 0:
            raise KeyUnavailable(label, f"ended with status {done.returncode}")
        if len(done.stdout) > _OUTPUT_LIMIT:
            raise KeyUnavailable(label, "printed more than a key can be")
        return done.stdout

    def _label(self, verb: str) -> str:
        return f"command {self._command[0]} {verb}"
