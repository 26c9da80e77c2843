"""Imports of candidate files, as the API takes and shows them."""

from typing import Any, Literal

from pydantic import Field

from aft.config.base import Config
from aft.data.candidate_rows import CandidateColumns, Scale
from backend.schemas.candidates import Verdict
from backend.schemas.common import Schema
from backend.schemas.datasets import OnInvalid
from backend.schemas.reviews import SubmissionId


class CandidateFile(Config):
    """The file of an import, frozen into its run."""

    upload_id: str
    filename: str
    key: str
    sha256: str
    size_bytes: int


class CandidateImportConfig(Config):
    """Configuration of a run that imports COTs."""

    kind: Literal["import-cots"] = "import-cots"
    files: tuple[CandidateFile, ...]
    """One."""
    columns: CandidateColumns
    rater: str
    """Whose ratings the file holds."""
    scale: Scale
    on_invalid: OnInvalid = "ask"


class CandidatePreviewRequest(Schema):
    """Try the columns of an uploaded file."""

    upload_id: str = Field(max_length=32)
    dataset_version_id: str = Field(max_length=32)
    columns: CandidateColumns | None = None
    """By default as recognised."""


class CandidatePreviewRow(Schema):
    """A row as it would be imported, or why it would not."""

    row_number: int
    question: str | None
    text: str | None
    answer: str | None
    verdict: Verdict | None
    model: str | None
    rating: float | None
    scores: dict[str, float]
    """By checkpoint, nats a token."""
    column: str | None
    """The column at fault."""
    reason: str | None
    """Why the row cannot be imported."""


class CandidatePreview(Schema):
    """What the first rows look like."""

    names: list[str]
    """Columns of the file."""
    columns: CandidateColumns | None
    """As given or recognised; None when no column can be the COT or leads to a question."""
    scale: Scale
    """Of the ratings, as far as the first rows tell."""
    n_rated: int
    n_scored: int
    """Of the first rows."""
    rows: list[CandidatePreviewRow]
    n_errors: int
    problem: str | None
    """What stands in the way of importing at all."""


class CandidateImportRequest(Schema):
    """Import the COTs of an uploaded file as a candidate set."""

    upload_id: str = Field(max_length=32)
    dataset_version_id: str = Field(max_length=32)
    name: str = Field(min_length=1, max_length=120)
    columns: CandidateColumns | None = None
    rater: str | None = Field(default=None, max_length=80)
    """Whose ratings the file holds; by default the file's name."""
    scale: Scale | None = None
    """By default as the first rows tell."""
    on_invalid: OnInvalid = "ask"
    request_id: SubmissionId | None = None


class CandidateImportStarted(Schema):
    """A queued import."""

    run_id: str


class CandidateReject(Schema):
    """A row that was not taken, and why."""

    row_number: int
    column: str | None
    reason: str
    excerpt: str


class CandidateImportRead(Schema):
    """An import and what became of its rows."""

    run_id: str
    name: str
    run_state: str
    state: Literal["staging", "review", "ready", "discarded"]
    filename: str
    dataset_version_id: str
    n_rows: int
    """Taken."""
    n_questions: int
    n_rated: int
    n_scored: int
    """With a score under some checkpoint."""
    checkpoints: list[str]
    """Whose scores the file holds."""
    n_rejected: int
    reasons: list[dict[str, Any]]
    """Reasons of refused rows with how many: reason, column, rows."""
    rejects: list[CandidateReject]
    """The first refused rows; rejects.jsonl has all."""
    progress_done: int
    progress_total: int | None
    progress_phase: str
    error: dict[str, Any] | None
