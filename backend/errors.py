"""Errors that users meet: a status, what is wrong with the value, and what to do."""

from collections.abc import Mapping, Sequence
from typing import Any


def telling(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Pydantic's findings without those that only follow from others: a list that is short of its refused items."""
    places = [tuple(item["loc"]) for item in findings]
    return [
        item
        for item, place in zip(findings, places, strict=True)
        if item["type"] != "too_short"
        or not any(len(other) > len(place) and other[: len(place)] == place for other in places)
    ]


class AppError(Exception):
    """Becomes ``application/problem+json``.

    Args:
        detail: What happened, with the value.
        remedy: What to do about it.
        field: The input field it belongs to, as a dotted path.
    """

    status = 400
    title = "The request cannot be carried out"

    def __init__(self, detail: str, *, remedy: str = "", field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy
        self.field = field

    def problem(self) -> dict[str, Any]:
        """The body of the answer."""
        message = f"{self.detail} {self.remedy}".strip()
        errors = [{"field": self.field, "message": message}] if self.field else []
        return {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "remedy": self.remedy,
            "errors": errors,
        }


class NotFound(AppError):
    """Something named in the request does not exist."""

    status = 404
    title = "Not found"


class Conflict(AppError):
    """The thing exists in a state that does not allow this."""

    status = 409
    title = "Not possible in this state"


class Invalid(AppError):
    """A value that cannot work, well-formed as it is."""

    status = 422
    title = "A setting cannot work"


class TooLarge(AppError):
    """More bytes than this server takes."""

    status = 413
    title = "Too large"


class Forbidden(AppError):
    """Refused for security."""

    status = 403
    title = "Refused"


class Unauthenticated(AppError):
    """No session."""

    status = 401
    title = "Not signed in"


class StorageFull(AppError):
    """The disk has no room left."""

    status = 507
    title = "The disk is full"
