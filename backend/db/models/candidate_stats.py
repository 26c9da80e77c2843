"""What lists of COTs filter and sort by, kept beside the candidates by ``services/candidate_stats``.

Every row can be recomputed from candidates, scores and ratings; nothing here is a source.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from backend.db.models.base import ID, Base, new_id, utcnow
from backend.db.models.datasets import BigId


class CandidateSet(Base):
    """A run that keeps candidates, with its totals: the counts beside the filters."""

    __tablename__ = "candidate_sets"
    __table_args__ = (Index("ix_candidate_sets_kind_run_id", "kind", "run_id"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    """The run's kind: sample, evaluate or import-cots."""
    state: Mapped[str] = mapped_column(String(16), default="ready", server_default="ready")
    """ready; or, of an import, staging (being read) or review (a person decides about refused rows)."""
    first_id: Mapped[int | None] = mapped_column(BigId)
    last_id: Mapped[int | None] = mapped_column(BigId)
    """Lowest and highest id of its candidates: text search looks at no others."""
    n_questions: Mapped[int] = mapped_column(default=0)
    n_candidates: Mapped[int] = mapped_column(default=0)
    n_right: Mapped[int] = mapped_column(default=0)
    n_wrong: Mapped[int] = mapped_column(default=0)
    n_unparsed: Mapped[int] = mapped_column(default=0)
    n_truncated: Mapped[int] = mapped_column(default=0)
    n_duplicate: Mapped[int] = mapped_column(default=0)
    n_rated: Mapped[int] = mapped_column(default=0)
    """Candidates with a rating other than a rule's."""
    n_disagreed: Mapped[int] = mapped_column(default=0)
    """Candidates whose raters differ."""
    models: Mapped[dict[str, Any] | None]
    """Candidates by the model that an imported file names."""


class CandidateSetModel(Base):
    """Totals of one model's scores over a candidate set."""

    __tablename__ = "candidate_set_models"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    model_run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    n_scored: Mapped[int] = mapped_column(default=0)
    sum_score: Mapped[float] = mapped_column(Float, default=0.0)
    n_violated: Mapped[int] = mapped_column(default=0)
    """Pairs of a right and a wrong candidate in which the right one is not ahead."""
    n_questions_violated: Mapped[int] = mapped_column(default=0)


class QuestionStats(Base):
    """What the candidates of one question in one set look like."""

    __tablename__ = "question_stats"
    __table_args__ = (
        Index("ix_question_stats_run_id_max_tokens", "run_id", "max_tokens", "example_id"),
        Index("ix_question_stats_run_id_n_right", "run_id", "n_right", "example_id"),
        Index("ix_question_stats_run_id_rating", "run_id", "rating", "example_id"),
        Index("ix_question_stats_run_id_rating_spread", "run_id", "rating_spread", "example_id"),
        Index("ix_question_stats_example_id", "example_id"),
    )

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    example_id: Mapped[int] = mapped_column(ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True)
    n_candidates: Mapped[int]
    n_right: Mapped[int]
    n_wrong: Mapped[int]
    n_unparsed: Mapped[int]
    n_truncated: Mapped[int]
    n_duplicate: Mapped[int]
    min_tokens: Mapped[int]
    max_tokens: Mapped[int]
    n_rated: Mapped[int] = mapped_column(default=0)
    n_disagreed: Mapped[int] = mapped_column(default=0)
    rating: Mapped[float | None]
    """Mean over its rated candidates, on 0 to 1."""
    rating_spread: Mapped[float | None]
    """Largest difference between two raters of one candidate, on 0 to 1; None where nobody was rated twice."""


class QuestionScores(Base):
    """How one model's scores order the candidates of one question."""

    __tablename__ = "question_scores"
    __table_args__ = (
        Index("ix_question_scores_margin", "run_id", "model_run_id", "margin", "example_id"),
        Index("ix_question_scores_n_violated", "run_id", "model_run_id", "n_violated", "example_id"),
        Index("ix_question_scores_best", "run_id", "model_run_id", "best", "example_id"),
        Index("ix_question_scores_example_id", "example_id"),
    )

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    model_run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    example_id: Mapped[int] = mapped_column(ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True)
    n_scored: Mapped[int]
    sum_score: Mapped[float] = mapped_column(Float)
    n_violated: Mapped[int]
    best: Mapped[float] = mapped_column(Float)
    best_wrong: Mapped[float | None] = mapped_column(Float)
    worst_right: Mapped[float | None] = mapped_column(Float)
    margin: Mapped[float | None] = mapped_column(Float)
    """worst_right - best_wrong: negative when a pair is violated; None without both sides."""


class RatingSummary(Base):
    """What raters say about one candidate, on 0 to 1; rules, which only repeat the verdict, are left out."""

    __tablename__ = "rating_summaries"
    __table_args__ = (
        Index("ix_rating_summaries_run_id_rating", "run_id", "rating", "candidate_id"),
        Index("ix_rating_summaries_run_id_spread", "run_id", "spread", "candidate_id"),
    )

    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidates.id", ondelete="CASCADE"), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    """The candidate set."""
    example_id: Mapped[int] = mapped_column(BigId)
    rating: Mapped[float] = mapped_column(Float)
    spread: Mapped[float | None] = mapped_column(Float)
    """Largest difference between two raters; None with fewer than two."""
    n_raters: Mapped[int]


class SavedView(Base):
    """A named selection of filters of the COTs page: the page's own query string."""

    __tablename__ = "saved_views"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120))
    experiment_id: Mapped[str | None] = mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), index=True)
    """None: offered everywhere."""
    query: Mapped[str] = mapped_column(Text)
    deleted_at: Mapped[datetime | None]
    """Set when it was deleted; taken back by undo."""
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
