"""Bring a database to the newest schema, or say how it differs."""

from pathlib import Path

from alembic import command
from alembic.config import Config

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def alembic_config(url: str | None = None) -> Config:
    """Alembic's configuration for ``url`` (by default the settings' database)."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config


def upgrade(url: str | None = None) -> None:
    """Apply every migration that is missing."""
    command.upgrade(alembic_config(url), "head")


def check(url: str | None = None) -> None:
    """Raise when the tables in the code differ from the migrations."""
    command.check(alembic_config(url))
