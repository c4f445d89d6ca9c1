"""Writing a bundle: all of it or nothing."""

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from model.bundle import MANIFEST, Bundle, Manifest, Member, open_bundle, sha256
from model.clips import ClipSpec
from model.errors import InvalidBundle


def write_bundle(
    path: Path,
    files: Mapping[str, bytes],
    *,
    name: str,
    layout: str,
    clip: ClipSpec,
    dim: int | None = None,
    labels: tuple[str, ...] = (),
    streams: tuple[Member, ...] = (),
    trained: Mapping[str, Any] | None = None,
) -> Bundle:
    """Writes the files and their manifest, and opens the result.

    The directory appears complete or not at all; one that is a bundle already is replaced, any other that is not
    empty is left alone (`InvalidBundle`).
    """
    refuse_foreign(path)
    manifest = Manifest(
        name=name,
        layout=layout,
        clip=clip,
        dim=dim,
        labels=labels,
        streams=streams,
        files={file: sha256(content) for file, content in sorted(files.items())},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        trained=dict(trained or {}),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as temporary:
        fresh = Path(temporary) / "fresh"
        fresh.mkdir()
        for file, content in files.items():
            (fresh / file).write_bytes(content)
        (fresh / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
        open_bundle(fresh)
        if path.exists():
            path.replace(Path(temporary) / "before")
        fresh.replace(path)
    return open_bundle(path)


def refuse_foreign(path: Path) -> None:
    """Raises `InvalidBundle` for what is there and no bundle; to ask before work that takes long."""
    if path.exists() and not path.is_dir():
        raise InvalidBundle(str(path), "is a file; a bundle is a directory")
    if path.is_dir() and any(path.iterdir()) and not (path / MANIFEST).exists():
        raise InvalidBundle(str(path), f"is a directory that holds something else (no {MANIFEST}); it is left alone")
