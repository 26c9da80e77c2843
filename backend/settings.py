"""Where the product keeps things and what it talks to. Environment variables start with ``AFT_``."""

from functools import lru_cache
from pathlib import Path
from typing import get_args

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from aft.config.trackers import TrackerName


class Settings(BaseSettings):
    """Everything an operator may change, with defaults that need no server beside ours."""

    model_config = SettingsConfigDict(env_prefix="AFT_", extra="ignore", use_attribute_docstrings=True)

    data_dir: Path = Path("~/.local/share/aft-workbench")
    """Database, checkpoints, logs, uploads and exports live below this directory."""
    database_url: str = ""
    """SQLAlchemy address; by default SQLite in the data directory."""
    broker_url: str = ""
    """Celery broker; by default the file system of the data directory."""
    host: str = "127.0.0.1"
    port: int = Field(default=8765, ge=0, le=65535)
    allowed_hosts: str = ""
    """Comma-separated host names, beside the loopback ones, under which the browser may address the server."""
    behind_proxy_auth: bool = False
    """Says that a proxy in front authenticates users; required for a bind beyond loopback."""
    require_login: bool = True
    """Ask for the one-time link's cookie. Off only in tests and behind an authenticating proxy."""
    slots: int = Field(default=0, ge=0)
    """Runs computed at the same time on this machine; 0 means one per GPU, else one per core up to 2."""
    gpus_per_slot: int = Field(default=1, ge=1, le=64)
    """GPUs a run may use at the same time; with 4, a machine of 8 GPUs has two slots for trainings in 4 processes."""
    lease_seconds: float = Field(default=30.0, gt=0)
    heartbeat_seconds: float = Field(default=5.0, gt=0)
    dispatch_seconds: float = Field(default=1.0, gt=0)
    resend_seconds: float = Field(default=15.0, gt=0)
    cancel_grace_seconds: float = Field(default=20.0, gt=0)
    max_attempts: int = Field(default=5, ge=1)
    max_upload_bytes: int = Field(default=20 * 2**30, gt=0)
    model_roots: str = ""
    """Colon-separated directories below which local base models may lie, beside ``<data_dir>/models``."""

    trackers: str = ""
    """Comma-separated trackers that every run is logged to: tensorboard, mlflow, wandb. Files only, no network."""

    @field_validator("trackers")
    @classmethod
    def _trackers_are_known(cls, value: str) -> str:
        known = get_args(TrackerName)
        for name in _listed(value):
            if name not in known:
                raise ValueError(f"'{name}' is no tracker. Use {', '.join(known)}, or leave AFT_TRACKERS empty.")
        return value

    @property
    def tracker_names(self) -> list[TrackerName]:
        """The trackers, each once."""
        return [name for name in get_args(TrackerName) if name in _listed(self.trackers)]

    @property
    def root(self) -> Path:
        """The data directory, absolute."""
        return self.data_dir.expanduser().absolute()

    @property
    def database(self) -> str:
        """The database's SQLAlchemy address."""
        return self.database_url or f"sqlite:///{self.root / 'workbench.sqlite3'}"

    @property
    def broker(self) -> str:
        """Celery's broker address; ``filesystem://`` means the data directory."""
        return self.broker_url or "filesystem://"

    @property
    def local_model_roots(self) -> list[Path]:
        """Directories below which a local model may be registered."""
        extra = [Path(part).expanduser().absolute() for part in self.model_roots.split(":") if part]
        return [self.root / "models", *extra]


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings, read once."""
    return Settings()
