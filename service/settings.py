"""What a deployment decides. Read from the environment (`GAITKEEPER_…`), overridden by the command line."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from model.errors import InvalidRequest

PREFIX = "GAITKEEPER_"
# Names of this prefix that are not settings of the service: one for the tests, and those that Kubernetes sets by
# itself in every pod beside a Service called "gaitkeeper".
_FOREIGN = re.compile(r"GAITKEEPER_(RECORDINGS|SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_\w+)")


class Limits(BaseModel):
    """Bounds on what one request may send, and on what may wait.

    requests: at once, from first byte to last. batch_frames, queue_frames: counted after resampling and windowing,
    so that a clip of 60 frames counts 60.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    body_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    frames: int = Field(default=1200, ge=1)
    candidates: int = Field(default=50, ge=1)
    requests: int = Field(default=512, ge=1)
    queue_length: int = Field(default=256, ge=1)
    queue_frames: int = Field(default=76_800, ge=1)
    batch_frames: int = Field(default=4_800, ge=1)


class Settings(BaseSettings):
    """One deployment. encoder, classifier: bundle directories, the shipped ones by default.

    database: `postgresql://...`; by default SQLite in `data`. keys: where the master key is, `file:PATH`, `env:NAME`
    or `command:COMMAND`; by default `master.key` in `data`, made at first. index: `flat` compares every template,
    `coarse` chosen ones, `compact` too, in half the memory; `auto` goes by a gallery's size. threads: of one call of a
    model; half the processors by default. port: 0 takes a free one. reports: where evaluations that are to be shown are
    kept, `reports` in `data` by default.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    data: Path = Path("gaitkeeper-data")
    database: SecretStr | None = None
    keys: str | None = None
    index: Literal["auto", "flat", "coarse", "compact"] = "auto"
    encoder: Path | None = None
    classifier: Path | None = None
    reports: Path | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    threads: int | None = Field(default=None, ge=1, le=256)
    access_log: bool = False
    shutdown_seconds: int = Field(default=20, ge=1, le=3600)
    limits: Limits = Limits()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is given to the constructor: `read` alone looks at an environment, and at the one it is given."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    @classmethod
    def read(cls, environment: Mapping[str, str], **given: Any) -> Self:
        """Settings from the environment; those `given` (and not None) win.

        Raises `InvalidRequest` that names the setting: a misspelt variable is refused, never ignored.
        """
        _refuse_unknown(cls, environment)
        source = EnvSettingsSource(cls)
        source.env_vars = {name.lower(): value for name, value in environment.items() if value}
        chosen = {name: value for name, value in given.items() if value is not None}
        try:
            return cls(**{**source(), **chosen})
        except SettingsError as error:
            raise InvalidRequest("environment", str(error)) from error
        except ValidationError as error:
            first = error.errors()[0]
            name = "__".join(str(part) for part in first["loc"])
            raise InvalidRequest(f"setting {name} ({PREFIX}{name.upper()})", first["msg"]) from error


def _refuse_unknown(settings: type[Settings], environment: Mapping[str, str]) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in settings.model_fields}
    for name in environment:
        if not name.upper().startswith(PREFIX) or _FOREIGN.fullmatch(name.upper()):
            continue
        if name.upper().partition("__")[0] not in known:
            raise InvalidRequest(
                f"environment variable {name}", f"unknown setting; known are {', '.join(sorted(known))}"
            )
