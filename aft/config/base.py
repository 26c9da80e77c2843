"""The base class of every configuration."""

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """A frozen configuration that refuses unknown keys and holds no behaviour."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
