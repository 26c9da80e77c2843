"""Candidate COTs, their ratings and scores."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from backend.db.models.base import ID, Base, utcnow
from backend.db.models.datasets import BigId


class Candidate(Base):
    """One response, sampled or imported, with the token ids as sampled and the answer read from it.

    Triggers (SQLite) and a generated column (PostgreSQL) keep its text searchable; see ``services/candidate_search``.

    Evaluation runs keep their greedy responses here too, so that every number can be recomputed.
    """

    __tablename__ = "candidates"
    __table_args__ = (
        UniqueConstraint("run_id", "example_id", "sample_index"),
        Index("ix_candidates_run_id_verdict", "run_id", "verdict", "example_id", "sample_index"),
        # With verdict and is_duplicate, so that filters are decided without a look at the row.
        Index("ix_candidates_run_id_n_tokens", "run_id", "n_tokens", "id", "verdict", "is_duplicate"),
        Index("ix_candidates_example_id", "example_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    example_id: Mapped[int] = mapped_column(ForeignKey("examples.id"))
    sample_index: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    token_ids: Mapped[bytes] = mapped_column(LargeBinary)
    """Little-endian uint32, as sampled; empty for an imported COT, which the model's own tokenizer encodes."""
    n_tokens: Mapped[int]
    """Tokens sampled; of an imported COT its words and signs."""
    finish_reason: Mapped[str] = mapped_column(String(16))
    """stop or length; length means truncated, which is never positive."""
    answer: Mapped[str | None] = mapped_column(Text)
    answer_start: Mapped[int | None]
    answer_end: Mapped[int | None]
    answer_rule: Mapped[str | None] = mapped_column(String(40))
    verdict: Mapped[str] = mapped_column(String(16))
    """right, wrong, unparsed or truncated."""
    extractor_version: Mapped[int]
    is_duplicate: Mapped[bool] = mapped_column(default=False)
    """True when an earlier candidate of the question in this run has equal text after white-space normalisation."""
    model: Mapped[str | None] = mapped_column(String(120))
    """The model that an imported file names; None for a sample, whose run says it."""
    external_id: Mapped[str | None] = mapped_column(String(255))
    """Its id in an imported file."""
    is_reencoded: Mapped[bool] = mapped_column(default=False, server_default=false())
    """True when the ids were made from the text of a server that gives none, once, as it was stored."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Rating(Base):
    """A quality given from outside (rule, judge or person) on a stated scale.

    Append-only: a later revision of the same rater is a new row, and only takes ``is_current`` from the earlier one.
    """

    __tablename__ = "ratings"
    __table_args__ = (
        Index("ix_ratings_candidate_id", "candidate_id"),
        Index("ix_ratings_review_id", "review_id"),
        UniqueConstraint("run_id", "candidate_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidates.id", ondelete="CASCADE"))
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    """The rate run, or None for a person's or an imported rating."""
    rater: Mapped[str] = mapped_column(String(80))
    source: Mapped[str] = mapped_column(String(16), default="judge", server_default="judge")
    """rule, judge, person, adjudication or import."""
    scale: Mapped[str] = mapped_column(String(32), default="1-10", server_default="1-10")
    """What the value means: binary (0, 1), verify (0, 0.5, 1), 1-10, rank or pair (0 to 1 within the item)."""
    value: Mapped[float]
    evidence: Mapped[dict[str, Any] | None]
    """Wrong steps as character spans, missing steps, the judge's words, a person's note."""
    seconds: Mapped[float | None]
    """Time the rater spent on the item, where known."""
    review_id: Mapped[int | None] = mapped_column(BigId)
    """The review it came with, for a person's rating."""
    import_id: Mapped[str | None] = mapped_column(ID)
    """The file it came from, for an imported one."""
    adjudication_id: Mapped[int | None] = mapped_column(BigId, index=True)
    """The decision it came with, for an adjudicated one."""
    is_current: Mapped[bool] = mapped_column(default=True, server_default=true())
    """False once a later revision of the same rater replaced it."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Score(Base):
    """Token-averaged log-likelihood of a candidate under a checkpoint (Eq. 2), nats a token."""

    __tablename__ = "scores"
    __table_args__ = (Index("ix_scores_model_run_id_score", "model_run_id", "score", "candidate_id"),)

    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidates.id", ondelete="CASCADE"), primary_key=True)
    model_run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    """The train or pretrain run whose final checkpoint gave the score."""
    by_run_id: Mapped[str] = mapped_column(ID)
    """The run that computed it."""
    score: Mapped[float]
    n_tokens: Mapped[int]
    token_logprobs: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Little-endian float16, one per token, where asked for."""
