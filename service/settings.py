"""What a deployment decides. Read from the environment (`GAITKEEPER_…`), overridden by the command line."""

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from model.errors import InvalidRequest
from model.execution import Wanted

PREFIX = "GAITKEEPER_"
DATA = Path("gaitkeeper-data")
# Names of this prefix that are not settings of the service: one for the tests, one for the client, and those that
# Kubernetes sets by itself in every pod beside a Service called "gaitkeeper".
_FOREIGN = re.compile(r"GAITKEEPER_(RECORDINGS|API_KEY|SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_\w+)")


class Limits(BaseModel):
    """Bounds on what one request may send, and on what may wait.

    bulk_bytes: the body of an enrollment of many. held_bytes: all bodies that are inside. requests: at once, from first
    byte to last. frames: of all sequences of one request, as sent. sequences: that one request may ask about. people:
    in one frame. batch_frames, queue_frames: counted after resampling and windowing, so that a clip of 60 frames counts
    60; a batch ends before where the model gains nothing by more. head_seconds: for the head of a request to come in.
    stall_seconds: how long a body may not come on, or an answer not be taken. streams: of cameras, in all and of one
    caller. stream_fps: frames that one of them takes a second. stream_idle_seconds: it ends when no frame came for so
    long.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    body_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    bulk_bytes: int = Field(default=64 * 1024 * 1024, ge=1024)
    held_bytes: int = Field(default=256 * 1024 * 1024, ge=1024)
    frames: int = Field(default=12_000, ge=1)
    sequences: int = Field(default=64, ge=1)
    people: int = Field(default=32, ge=1, le=64)
    candidates: int = Field(default=50, ge=1)
    requests: int = Field(default=512, ge=1)
    queue_length: int = Field(default=256, ge=1)
    queue_frames: int = Field(default=76_800, ge=1)
    batch_frames: int = Field(default=4_800, ge=1)
    head_seconds: float = Field(default=10, gt=0, le=3600)
    stall_seconds: float = Field(default=20, gt=0, le=3600)
    streams: int = Field(default=32, ge=1)
    streams_of_one: int = Field(default=8, ge=1)
    stream_fps: int = Field(default=240, ge=1, le=1000)
    stream_idle_seconds: float = Field(default=60, gt=0, le=86_400)


class Settings(BaseSettings):
    """One deployment. encoder, classifier: bundle directories, the shipped ones by default.

    database: `postgresql://...`; by default SQLite in `data`. keys: where the master key is, `file:PATH`,
    `env:NAME` or `command:COMMAND`; by default `master.key` in `data`, made at first. index: `flat` compares every
    template, `coarse` chosen ones, `compact` too, in half the memory; `auto` goes by a gallery's size. threads: of
    one call of a model; half the processors by default. execution: what runs the models, `auto` as `gaitkeeper
    tune` chose. port: 0 takes a free one. deadline_seconds: the longest that a request waits for its answer, where
    it does not say less itself. reports: where evaluations that are to be shown are kept, `reports` in `data` by
    default. bundles: a folder of bundles that a migration may name. webhooks_private: whether webhooks may name
    addresses of private networks and this machine. access: who asks is known by a key, or, with `loopback`, whoever is
    on this machine may do everything and nobody else can connect. tls_certificate, tls_key: PEM files; without them,
    plain HTTP. trusted_proxies: addresses and networks, separated by commas, whose word is taken for whom they forward.
    drain_seconds: at the end, how long it says that it is not ready and still answers; then nobody new is let in, and
    who is inside has shutdown_seconds. free_disk_mb: with less in the data directory it is not ready.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    data: Path = DATA
    database: SecretStr | None = None
    keys: str | None = None
    index: Literal["auto", "flat", "coarse", "compact"] = "auto"
    encoder: Path | None = None
    classifier: Path | None = None
    execution: Wanted = "auto"
    reports: Path | None = None
    bundles: Path | None = None
    webhooks_private: bool = False
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    threads: int | None = Field(default=None, ge=1, le=256)
    access_log: bool = False
    shutdown_seconds: int = Field(default=20, ge=1, le=3600)
    drain_seconds: float = Field(default=0, ge=0, le=3600)
    free_disk_mb: int = Field(default=64, ge=0)
    deadline_seconds: float = Field(default=30, gt=0, le=3600)
    access: Literal["keys", "loopback"] = "keys"
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: str = ""
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _check_exposure(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key are given together")
        if self.access == "loopback" and not is_loopback(self.host):
            raise ValueError(f"access=loopback asks nobody for a key, so the host must be 127.0.0.1, not {self.host}")
        if self.access == "loopback" and self.trusted_proxies:
            raise ValueError("trusted_proxies: behind a proxy everybody seems to be on this machine; use access=keys")
        return self

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, given: str) -> str:
        for each in filter(None, (part.strip() for part in given.split(","))):
            ipaddress.ip_network(each)  # a name that is looked up could become anybody's
        return given

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
            which = f"setting {name} ({PREFIX}{name.upper()})" if name else "settings"
            raise InvalidRequest(which, first["msg"].removeprefix("Value error, ")) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens at `host`.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refuse_unknown(settings: type[Settings], environment: Mapping[str, str]) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in settings.model_fields}
    for name in environment:
        if not name.upper().startswith(PREFIX) or _FOREIGN.fullmatch(name.upper()):
            continue
        if name.upper().partition("__")[0] not in known:
            raise InvalidRequest(
                f"environment variable {name}", f"unknown setting; known are {', '.join(sorted(known))}"
            )
