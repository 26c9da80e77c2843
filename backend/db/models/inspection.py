"""What looking at COTs adds: tokens of the text, scores of references, people's labels, re-graded labels."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from backend.db.models.base import ID, Base, utcnow
from backend.db.models.datasets import BigId


class TokenSpans(Base):
    """Where each token of a candidate ends in its text."""

    __tablename__ = "token_spans"

    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidates.id", ondelete="CASCADE"), primary_key=True)
    ends: Mapped[bytes] = mapped_column(LargeBinary)
    """Little-endian uint32 character positions, one per token."""


class ReferenceScore(Base):
    """Score of a question's reference response under a checkpoint, token by token."""

    __tablename__ = "reference_scores"
    __table_args__ = (Index("ix_reference_scores_model_run_id", "model_run_id"),)

    example_id: Mapped[int] = mapped_column(ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True)
    model_run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    by_run_id: Mapped[str] = mapped_column(ID)
    score: Mapped[float]
    """Nats a token."""
    token_logprobs: Mapped[bytes] = mapped_column(LargeBinary)
    """Little-endian float16, one per token."""
    ends: Mapped[bytes] = mapped_column(LargeBinary)
    """As ``TokenSpans.ends``, in the response that teaches the reference."""


class LabelOverride(Base):
    """A person's label of a candidate, beside the automatic one. Append-only: the newest row of a candidate counts."""

    __tablename__ = "label_overrides"
    __table_args__ = (
        Index("ix_label_overrides_candidate_id_id", "candidate_id", "id"),
        Index("ix_label_overrides_run_id_id", "run_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    request_id: Mapped[str] = mapped_column(String(64), unique=True)
    """Made by the client once per press of the button, so that a repeated request is stored once."""
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    """The candidate set."""
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidates.id", ondelete="CASCADE"))
    label: Mapped[str | None] = mapped_column(String(16))
    """right, wrong or unparsed; None withdraws the label before it."""
    reason: Mapped[str] = mapped_column(Text)
    person: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Regrade(Base):
    """A labelling of a candidate set by a later extractor, kept beside the one it was sampled with."""

    __tablename__ = "regrades"
    __table_args__ = (Index("ix_regrades_candidates_run_id", "candidates_run_id"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    """The regrade run."""
    candidates_run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    extractor_version: Mapped[int]
    n_candidates: Mapped[int]
    n_changed: Mapped[int]
    """Candidates whose answer, span, rule or verdict differs; RegradeChange has them."""
    flips: Mapped[dict[str, Any]]
    """Candidates by ``before>after``, for verdicts that differ."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class RegradeChange(Base):
    """A candidate that a re-grade reads or grades differently from how it was sampled."""

    __tablename__ = "regrade_changes"
    __table_args__ = (
        Index("ix_regrade_changes_run_id_verdict_before_verdict_candidate_id",
              "run_id", "verdict_before", "verdict", "candidate_id"),
    )  # fmt: skip

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidates.id", ondelete="CASCADE"), primary_key=True)
    answer: Mapped[str | None] = mapped_column(Text)
    answer_start: Mapped[int | None]
    answer_end: Mapped[int | None]
    answer_rule: Mapped[str | None] = mapped_column(String(40))
    verdict: Mapped[str] = mapped_column(String(16))
    verdict_before: Mapped[str] = mapped_column(String(16))
