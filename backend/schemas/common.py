"""What all requests and answers share."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

Item = TypeVar("Item")


class Schema(BaseModel):
    """A request or an answer; unknown keys are refused, attributes of rows are read."""

    model_config = ConfigDict(extra="forbid", from_attributes=True, use_attribute_docstrings=True)


class FieldError(Schema):
    """What is wrong with one field."""

    field: str
    message: str


class Problem(Schema):
    """An error as ``application/problem+json``."""

    type: str
    title: str
    status: int
    detail: str
    remedy: str
    errors: list[FieldError]


class Page(Schema, Generic[Item]):
    """A page of a list; ``next_after`` asks for the following one, None at the end."""

    items: list[Item]
    next_after: str | None
