"""`GaitkeeperClient`: what an integrator calls."""

import os
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Several
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from service.client import answers
from service.client.sequence import Sequence
from service.client.wire import Call, Wire, decoded

T = TypeVar("T")

KEY_VARIABLE = "GAITKEEPER_API_KEY"


class _Page(msgspec.Struct):
    next: str | int | None = None


class GaitkeeperClient:
    """Asks one service. Use it as a context, or `close` it; threads may share it.

    url: such as `https://gaitkeeper.example`. api_key: by default what GAITKEEPER_API_KEY holds; none where the service
    answers this machine without. timeout_s: of one call, with all that is tried again meanwhile: a full queue, a
    service that is starting, a lost connection. page: items of a list that are got at a time. What changes something is
    sent with an idempotency key, so that it is done once however often it had to be sent.

    Every method raises `Refused`, with the service's problem document, or `Unreachable`.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        api_key: str | None = None,
        *,
        timeout_s: float = 30.0,
        page: int = 200,
        verify: Any = True,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        key = (api_key or os.environ.get(KEY_VARIABLE) or "").strip()  # of a file, it has a line's end
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        base = url.rstrip("/") + "/v1"
        self._http = httpx.Client(base_url=base, headers=headers, verify=verify, transport=transport)
        self._wire, self._page = Wire(self._http, timeout_s), page

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # Questions

    def identify(
        self,
        sequence: Sequence,
        gallery: str = "default",
        *,
        top_k: int | None = None,
        target_fpir: float | None = None,
        within: Several[str] | None = None,
        at_least: int | None = None,
    ) -> answers.Decision:
        """Who is it, or nobody we know?"""
        asked = {
            "gallery": gallery,
            "top_k": top_k,
            "target_fpir": target_fpir,
            "within": within,
            "at_least": at_least,
        }
        return self._ask("/identify", sequence, asked, answers.Decision)

    def verify(
        self, sequence: Sequence, subject: str, gallery: str = "default", *, target_fpir: float | None = None
    ) -> answers.Decision:
        """Is it this subject?"""
        asked = {"gallery": gallery, "subject": subject, "target_fpir": target_fpir}
        return self._ask("/verify", sequence, asked, answers.Decision)

    def classify(self, sequence: Sequence, *, top_k: int | None = None) -> answers.Classification:
        """What is this person doing?"""
        return self._ask("/classify", sequence, {"top_k": top_k}, answers.Classification)

    def embed(self, sequence: Sequence) -> answers.Embedding:
        """The embedding of a sequence, for a key that may have it."""
        return self._ask("/embed", sequence, {}, answers.Embedding)

    # Subjects

    def enroll(
        self,
        gallery: str,
        subject: str,
        sequence: Sequence,
        *,
        labels: Mapping[str, str] | None = None,
        consent: Mapping[str, str] | None = None,
        force: bool | None = None,
    ) -> answers.Enrolled:
        """One more template of a subject; durable on return."""
        asked = {"labels": labels, "consent": consent, "force": force}
        return self._ask(f"{_subject(gallery, subject)}/templates", sequence, asked, answers.Enrolled)

    def subjects(self, gallery: str = "default") -> Iterator[answers.SubjectSummary]:
        """The subjects of a gallery by id; pages are got as they are needed."""
        return self._pages(f"{_gallery(gallery)}/subjects", "subjects", answers.SubjectSummary)

    def subject(self, gallery: str, subject: str) -> answers.Subject:
        """One subject and its templates."""
        return self._got("GET", _subject(gallery, subject), answers.Subject)

    def change_subject(self, gallery: str, subject: str, **change: Any) -> answers.Subject:
        """Change consent, hold or metadata of a subject, or (alone) its id: `subject="..."`."""
        return self._got("PATCH", _subject(gallery, subject), answers.Subject, change)

    def erase(self, gallery: str, subject: str) -> answers.Erased:
        """Erase a subject: from this answer on, none names it. Keep the receipt."""
        return self._got("DELETE", _subject(gallery, subject), answers.Erased)

    # Galleries, and what was done

    def galleries(self) -> Iterator[answers.Gallery]:
        """The galleries that the key reaches."""
        return self._pages("/galleries", "galleries", answers.Gallery)

    def create_gallery(
        self, name: str, *, vault_days: int | None = None, protected: bool | None = None
    ) -> answers.Gallery:
        asked = {"name": name, "vault_days": vault_days, "protected": protected}
        return self._got("POST", "/galleries", answers.Gallery, asked)

    def delete_gallery(self, name: str) -> None:
        """Delete a gallery with all its subjects."""
        self.request("DELETE", _gallery(name))

    def audit(self, *, action: str | None = None) -> Iterator[answers.AuditEntry]:
        """Who did what and when, oldest first."""
        params = {} if action is None else {"action": action}
        return self._pages("/audit", "entries", answers.AuditEntry, params)

    def request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, params: Mapping[str, str] | None = None
    ) -> Any:
        """Anything else that the service answers (`/docs`): the JSON of the answer, None of an empty one."""
        answer = self._wire.send(_json(method, path, body, params or {}))
        return decoded(answer, Any) if answer.content else None

    def _got(self, method: str, path: str, kind: type[T], body: Mapping[str, Any] | None = None) -> T:
        if body is not None and method == "POST":
            body = _given(body)
        found: T = decoded(self._wire.send(_json(method, path, body, {})), kind)
        return found

    def _ask(self, path: str, sequence: Sequence, asked: Mapping[str, Any], kind: type[T]) -> T:
        content, headers = sequence.packed()
        params = {name: _in_address(value) for name, value in _given(asked).items()}
        found: T = decoded(self._wire.send(Call("POST", path, content, headers, params)), kind)
        return found

    def _pages(self, path: str, name: str, kind: type[T], params: Mapping[str, str] | None = None) -> Iterator[T]:
        asked = {**(params or {}), "limit": str(self._page)}
        while True:
            answer = self._wire.send(Call("GET", path, params=asked))
            page: dict[str, Any] = decoded(answer, dict[str, Any])
            yield from msgspec.convert(page[name], list[kind])  # type: ignore[valid-type]
            following = decoded(answer, _Page).next
            if following is None:
                return
            asked["after"] = str(following)


def _json(method: str, path: str, body: Mapping[str, Any] | None, params: Mapping[str, str]) -> Call:
    if body is None:
        return Call(method, path, params=params)
    return Call(method, path, msgspec.json.encode(body), {"Content-Type": "application/json"}, params)


def _given(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if value is not None}


def _in_address(value: Any) -> str:
    """A word as it is, and what is neither a word nor a number as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _gallery(name: str) -> str:
    return f"/galleries/{quote(name, safe='')}"


def _subject(gallery: str, subject: str) -> str:
    return f"{_gallery(gallery)}/subjects/{quote(subject, safe='')}"
