"""The keys of this deployment in memory: every request is checked here, and the store is asked behind its back."""

import asyncio
import hmac
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from gallery.api_keys import hash_of, id_of
from gallery.store import Store
from gallery.store.api_keys import KeptKey, kept_key, kept_keys, keys_changed, note_used
from gallery.store.moments import stamp
from model.errors import GaitkeeperError, StoreUnavailable, UnknownCaller
from service.access.caller import Caller

_log = structlog.get_logger("gaitkeeper")

EVERY_S = 0.4
# Whatever the audit log says, so that a store that was put back by other means is followed too.
WHOLE_EVERY_S = 5.0
NOTE_EVERY_S = 60.0
# What is not known here may be known to the store: it is asked so often a second, however many ask us.
LOOKS = 20
# Without the store nobody hears of a revocation; after this long nobody is believed any more.
STALE_S = 30.0

REFUSAL = "send a key that is good: Authorization: Bearer gk_..."


@dataclass(frozen=True, slots=True)
class Held:
    """A key and who comes with it. The moments are in microseconds since 1970."""

    kept: KeptKey
    caller: Caller
    expires: int | None
    former_until: int | None

    @classmethod
    def of(cls, kept: KeptKey) -> "Held":
        key = kept.key
        caller = Caller(f"key:{key.id}", key.scopes, key.galleries, key.name)
        ends = (None if each is None else stamp(each) for each in (key.expires, key.former_until))
        return cls(kept, caller, *ends)

    def good(self, now: int) -> bool:
        return self.expires is None or now < self.expires


class KeyRing:
    """All good keys of a store. A thread follows it, so that a key that was revoked by another process is refused
    here within a second; what this process does is seen at once, after `refresh`. stale_s: nobody is believed when the
    store could not be read for so long."""

    def __init__(self, store: Store, *, every_s: float = EVERY_S, stale_s: float = STALE_S) -> None:
        self._store, self._every_s, self.stale_s = store, every_s, stale_s
        self._held: Mapping[str, Held] = {}
        self._seen = 0
        self._fresh = self._whole = self._noted = -1e9
        self._looks, self._looked = float(LOOKS), 0.0
        self._used: dict[str, int] = {}
        # Compared with where there is no key, so that this takes as long.
        self._nobody = secrets.token_bytes(32)
        self._loading = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Load all keys, and follow the store. Raises `StoreUnavailable`."""
        assert self._thread is None
        self.refresh()
        self._noted = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="key ring", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._note(time.monotonic())

    def held(self, key: str) -> Held | None:
        """Whose key this is, if it is one and still good. Takes the same time for every key that is none."""
        now, sent = time.time_ns() // 1000, hash_of(key)
        key_id = id_of(key)
        found = None if key_id is None else self._held.get(key_id)
        nobody = self._nobody
        current, former = (nobody, nobody) if found is None else (found.kept.hash, found.kept.former or nobody)
        same, before = hmac.compare_digest(sent, current), hmac.compare_digest(sent, former)
        if found is None or not found.good(now):
            return None
        if not same and not (before and found.former_until is not None and now < found.former_until):
            return None
        self._used[found.kept.key.id] = now
        return found

    async def find(self, key: str) -> Held:
        """Whose key this is; what is not known here is asked of the store, but not for everybody in a flood of them.

        Raises `UnknownCaller`, the same whatever is wrong; `StoreUnavailable` when the store could not be read
        """
        if time.monotonic() - self._fresh > self.stale_s:
            raise StoreUnavailable("which keys are good could not be read for a while")
        found = self.held(key)
        if found is None and self._may_look(key):
            await asyncio.to_thread(self._look, key)
            found = self.held(key)
        if found is None:
            raise UnknownCaller(REFUSAL)
        return found

    def holds(self, caller: Caller) -> bool:
        """Whether the key of this caller is still good."""
        found = self._held.get(caller.id.removeprefix("key:"))
        return found is not None and found.good(time.time_ns() // 1000)

    @property
    def ids(self) -> set[str]:
        return set(self._held)

    def refresh(self) -> None:
        """Read all keys now. Raises `StoreUnavailable`."""
        with self._loading:
            begun = time.monotonic()
            self._seen, kept = kept_keys(self._store)
            self._held = {each.key.id: Held.of(each) for each in kept}
            self._fresh = self._whole = begun

    def state(self) -> str:
        """`ok`, or what is wrong: for readiness."""
        stale = time.monotonic() - self._fresh > self.stale_s
        return "the keys in the store could not be read for a while" if stale and self._thread else "ok"

    def _may_look(self, key: str) -> bool:
        if id_of(key) is None:
            return False
        now = time.monotonic()
        self._looks, self._looked = min(float(LOOKS), self._looks + (now - self._looked) * LOOKS), now
        if self._looks < 1:
            return False
        self._looks -= 1
        return True

    def _look(self, key: str) -> None:
        key_id = id_of(key)
        assert key_id is not None
        try:
            with self._loading:
                kept = kept_key(self._store, key_id)
                others = {each: held for each, held in self._held.items() if each != key_id}
                self._held = others if kept is None else {**others, key_id: Held.of(kept)}
        except StoreUnavailable as error:
            _log.warning("a key could not be looked up", reason=str(error))

    def _run(self) -> None:
        troubled = False
        while not self._stopping.wait(self._every_s):
            try:
                self._follow(time.monotonic())
            except GaitkeeperError as error:
                if not troubled:
                    _log.warning("the keys cannot be followed now; goes on trying", reason=str(error))
                troubled = True
            except Exception:
                _log.exception("following the keys met an error of its own and goes on")
            else:
                troubled = False

    def _follow(self, now: float) -> None:
        newest, changed = keys_changed(self._store, self._seen)
        if changed or now - self._whole > WHOLE_EVERY_S:
            self.refresh()
        else:
            self._seen, self._fresh = newest, now
        if now - self._noted > NOTE_EVERY_S:
            self._note(now)

    def _note(self, now: float) -> None:
        """Keep when keys were used last; to lose some of it is no harm."""
        used, self._used, self._noted = self._used, {}, now
        if not used:
            return
        try:
            note_used(self._store, dict(used))  # requests may still write into it
        except GaitkeeperError as error:
            _log.warning("when keys were used last is not noted", reason=str(error))
