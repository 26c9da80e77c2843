"""People who review, and which of them sits at a browser. A name is a signature, not a lock."""

import secrets
import unicodedata
from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.db.models import Person, ReviewerSession, utcnow
from backend.errors import Invalid, NotFound
from backend.services.access import token_hash

SESSION_LIFETIME = timedelta(days=90)


def named(session: Session, name: str) -> Person:
    """The person of this name, made when new.

    Raises:
        Invalid: If nothing of the name can be shown.
    """
    shown = clean_name(name)
    found = session.scalar(select(Person).where(Person.name_key == shown.casefold()))
    if found is None:
        found = Person(name=shown, name_key=shown.casefold())
        session.add(found)
        session.flush()
    return found


def clean_name(name: str) -> str:
    """A name without control and bidirectional characters, spaces folded.

    Raises:
        Invalid: If nothing is left, or it is longer than 80 characters.
    """
    kept = "".join(c if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} else " " for c in name)
    shown = " ".join(unicodedata.normalize("NFC", kept).split())
    if not shown:
        raise Invalid("The name is empty.", remedy="Type a name of 1 to 80 characters.", field="name")
    if len(shown.casefold()) > 80:
        raise Invalid(f"The name has {len(shown)} characters.", remedy="Use at most 80.", field="name")
    return shown


def everybody(session: Session) -> list[Person]:
    """All people by name."""
    return list(session.scalars(select(Person).order_by(Person.name_key)))


def names(session: Session, ids: Collection[str]) -> dict[str, str]:
    """Names by id."""
    return dict(session.execute(select(Person.id, Person.name).where(Person.id.in_(list(ids)))).all())


def require(session: Session, ids: Collection[str]) -> None:
    """Refuse ids of nobody.

    Raises:
        NotFound: If a person does not exist.
    """
    missing = sorted(set(ids) - names(session, ids).keys())
    if missing:
        raise NotFound(f"There is no person {missing[0]!r}.", remedy="Choose people from the list.")


def remember(session: Session, person: Person) -> str:
    """A cookie that stands for the person in one browser."""
    now = utcnow()
    session.execute(delete(ReviewerSession).where(ReviewerSession.expires_at < now))
    cookie = secrets.token_urlsafe(32)
    session.add(
        ReviewerSession(token_sha256=token_hash(cookie), person_id=person.id, expires_at=now + SESSION_LIFETIME)
    )
    return cookie


def forget(session: Session, cookie: str) -> None:
    """End the browser's reviewer session."""
    session.execute(delete(ReviewerSession).where(ReviewerSession.token_sha256 == token_hash(cookie)))


def of_cookie(session: Session, cookie: str) -> Person | None:
    """The person at this browser, or None."""
    query = (
        select(Person)
        .join(ReviewerSession, ReviewerSession.person_id == Person.id)
        .where(ReviewerSession.token_sha256 == token_hash(cookie), ReviewerSession.expires_at > utcnow())
    )
    return session.scalar(query)
