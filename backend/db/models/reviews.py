"""Review queues: what is to be judged, by whom, and every judgement as an append-only revision."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db.models.base import ID, Base, new_id, utcnow
from backend.db.models.datasets import BigId


class Person(Base):
    """Somebody who reviews, known by name. There are no passwords: a name is a signature, not a lock."""

    __tablename__ = "people"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80))
    name_key: Mapped[str] = mapped_column(String(80), unique=True)
    """The name without case and outer spaces, so that Ann and ann are one person."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class ReviewerSession(Base):
    """Which person sits at a browser, by the hash of its cookie."""

    __tablename__ = "reviewer_sessions"

    token_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]


class ReviewQueue(Base):
    """COTs to be judged in one mode, with guidelines and rules."""

    __tablename__ = "review_queues"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    request_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Made by the client once per press of the button, so that creating twice creates once."""
    mode: Mapped[str] = mapped_column(String(16))
    """verify, rate, rank or pair."""
    guidelines: Mapped[str] = mapped_column(Text, default="")
    is_blind: Mapped[bool] = mapped_column(default=True)
    shows_reference: Mapped[bool] = mapped_column(default=False)
    reviews_per_item: Mapped[int]
    reviewer_ids: Mapped[list[Any]]
    """People who may review; empty means everybody."""
    seed: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), default="open")
    """open or closed."""
    source: Mapped[dict[str, Any]]
    """How its items were chosen: run, strategy and its settings."""
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    """The candidate set."""
    task: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class ReviewItem(Base):
    """One question of a queue with the candidates to judge."""

    __tablename__ = "review_items"
    __table_args__ = (
        UniqueConstraint("queue_id", "position"),
        Index("ix_review_items_queue_id_is_open_position", "queue_id", "is_open", "position"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    queue_id: Mapped[str] = mapped_column(ForeignKey("review_queues.id", ondelete="CASCADE"))
    position: Mapped[int]
    example_id: Mapped[int] = mapped_column(ForeignKey("examples.id"))
    candidate_ids: Mapped[list[Any]]
    gold: Mapped[dict[str, Any] | None]
    """Expected values by candidate id, for items that watch the reviewers."""
    wanted: Mapped[int]
    """Reviews asked for."""
    n_done: Mapped[int] = mapped_column(default=0)
    is_open: Mapped[bool] = mapped_column(default=True)
    """Whether n_done < wanted."""


class ReviewSlot(Base):
    """One reviewer's place at one item: leased, done or skipped."""

    __tablename__ = "review_slots"
    __table_args__ = (Index("ix_review_slots_queue_id_person_id_state", "queue_id", "person_id", "state"),)

    item_id: Mapped[int] = mapped_column(ForeignKey("review_items.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"), primary_key=True)
    queue_id: Mapped[str] = mapped_column(ForeignKey("review_queues.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(16))
    lease_expires_at: Mapped[datetime | None]
    """Set while leased; an expired lease no longer keeps others away."""
    revision: Mapped[int] = mapped_column(default=0)
    """Number of the newest review."""
    review_id: Mapped[int | None] = mapped_column(BigId)
    """The review that counts, while done or skipped."""
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)


class Review(Base):
    """What a reviewer did with an item; never changed afterwards."""

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("submission_id"),
        UniqueConstraint("item_id", "person_id", "revision"),
        Index("ix_reviews_queue_id_id", "queue_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    submission_id: Mapped[str] = mapped_column(String(64))
    """Made by the client, so that a repeated submit is stored once."""
    queue_id: Mapped[str] = mapped_column(ForeignKey("review_queues.id", ondelete="CASCADE"))
    item_id: Mapped[int] = mapped_column(ForeignKey("review_items.id", ondelete="CASCADE"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    revision: Mapped[int]
    action: Mapped[str] = mapped_column(String(16))
    """submit, skip or undo."""
    values: Mapped[dict[str, Any]]
    """Value by candidate id, on the mode's scale."""
    steps: Mapped[dict[str, Any]]
    """Steps marked wrong by candidate id: lists of [start, end]."""
    note: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(String(200), default="")
    """Why it was skipped."""
    is_flagged: Mapped[bool] = mapped_column(default=False)
    seconds: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Adjudication(Base):
    """A person's decision about an item on which raters disagree, or its withdrawal; never changed afterwards."""

    __tablename__ = "adjudications"
    __table_args__ = (UniqueConstraint("submission_id"), Index("ix_adjudications_item_id_id", "item_id", "id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    submission_id: Mapped[str] = mapped_column(String(64))
    """Made by the client, so that a repeated decision is stored once."""
    queue_id: Mapped[str] = mapped_column(ForeignKey("review_queues.id", ondelete="CASCADE"), index=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("review_items.id", ondelete="CASCADE"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    action: Mapped[str] = mapped_column(String(16))
    """decide or undo. The newest row of an item counts."""
    values: Mapped[dict[str, Any]]
    """Value by candidate id, on the queue's scale."""
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class RatingImport(Base):
    """A file of ratings that was read, and what became of its rows."""

    __tablename__ = "rating_imports"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    request_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    filename: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    """The candidate set that its rows were matched with, or that they made."""
    settings: Mapped[dict[str, Any]]
    report: Mapped[dict[str, Any]]
    """Counts, and the first rows that were not taken with their reasons."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class RankingSet(Base):
    """An immutable set of qualities y combined from ratings, for training and for comparison."""

    __tablename__ = "ranking_sets"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    version: Mapped[int]
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    """The candidate set."""
    request_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    settings: Mapped[dict[str, Any]]
    statistics: Mapped[dict[str, Any]]
    sha256: Mapped[str] = mapped_column(String(64))
    """Of candidate ids and qualities in their order."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class RankingSetEntry(Base):
    """The quality of one candidate in a ranking set."""

    __tablename__ = "ranking_set_entries"

    ranking_set_id: Mapped[str] = mapped_column(ForeignKey("ranking_sets.id", ondelete="CASCADE"), primary_key=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidates.id"), primary_key=True)
    quality: Mapped[float]
    n_ratings: Mapped[int]
