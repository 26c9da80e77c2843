"""One-time login links and browser sessions. Only hashes are stored."""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from backend.db.models import BrowserSession, LoginLink, utcnow

LINK_LIFETIME = timedelta(hours=12)
SESSION_LIFETIME = timedelta(days=30)


def create_link(session: Session) -> str:
    """A token that opens one browser session, once."""
    now = utcnow()
    session.execute(delete(LoginLink).where(LoginLink.expires_at < now))
    session.execute(delete(BrowserSession).where(BrowserSession.expires_at < now))
    token = secrets.token_urlsafe(24)
    session.add(LoginLink(token_sha256=token_hash(token), expires_at=now + LINK_LIFETIME))
    return token


def redeem(session: Session, token: str) -> str | None:
    """Use a link up and return the new session's cookie, or None when the link is unknown, used or expired."""
    now = utcnow()
    used = session.execute(
        update(LoginLink)
        .where(LoginLink.token_sha256 == token_hash(token), LoginLink.used_at.is_(None), LoginLink.expires_at > now)
        .values(used_at=now)
        .returning(LoginLink.token_sha256)
    ).first()
    if used is None:
        return None
    cookie = secrets.token_urlsafe(32)
    session.add(BrowserSession(token_sha256=token_hash(cookie), expires_at=now + SESSION_LIFETIME))
    return cookie


def is_signed_in(session: Session, cookie: str) -> bool:
    """Whether the cookie belongs to a live session."""
    query = select(BrowserSession.token_sha256).where(
        BrowserSession.token_sha256 == token_hash(cookie), BrowserSession.expires_at > utcnow()
    )
    return session.scalar(query) is not None


def token_hash(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
