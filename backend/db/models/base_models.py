"""The registry of base models."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from backend.db.models.base import ID, Base, new_id, utcnow


class BaseModelEntry(Base):
    """A model that experiments start from."""

    __tablename__ = "base_models"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    source: Mapped[str] = mapped_column(String(16))
    """builtin (made here by a pretrain run), local (a directory) or hub (an id)."""
    location: Mapped[str] = mapped_column(Text, default="")
    """Directory or hub id; empty for the built-in model."""
    config: Mapped[dict[str, Any] | None]
    """BuiltinModelConfig of a built-in model."""
    facts: Mapped[dict[str, Any] | None]
    """Architecture, parameters, window, vocabulary, size, as inspected."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
