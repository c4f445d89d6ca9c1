"""What the service answers about the samples that ship with it."""

from typing import Literal

import msgspec

from service.samples import Role, Samples


class SampleFile(msgspec.Struct, frozen=True, kw_only=True):
    """A sequence to try the service with. roles: what it is for. subject: who walks in it, null for a stranger.
    action: what is done in it. gallery: where its subject is to be looked for."""

    name: str
    source: Literal["simulated", "cmu"]
    roles: list[Role]
    subject: str | None
    action: str | None
    gallery: str
    labels: dict[str, str]


class SampleFiles(msgspec.Struct, frozen=True):
    samples: list[SampleFile]


def sample_files(samples: Samples) -> SampleFiles:
    """One entry a file, in the manifests' order; a file that is for several things says so once."""
    found: dict[str, SampleFile] = {}
    for path, sample in samples.all:
        before = found.get(path.stem)
        found[path.stem] = SampleFile(
            name=path.stem,
            source=sample.source,
            roles=[*(before.roles if before else ()), sample.role],
            subject=sample.subject or (before.subject if before else None),
            action=sample.action or (before.action if before else None),
            gallery=sample.gallery,
            labels={**(before.labels if before else {}), **sample.labels},
        )
    return SampleFiles(list(found.values()))
