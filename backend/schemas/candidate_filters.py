"""What lists and exports of COTs are filtered and sorted by."""

from typing import Annotated, Literal

from pydantic import Field

from backend.schemas.candidates import Verdict
from backend.schemas.common import Schema

Unit = Annotated[float, Field(ge=0, le=1)]
QuestionSort = Literal["position", "right", "violated", "margin", "score", "length", "rating", "disagreement"]
CandidateSort = Literal["position", "length", "score", "rating", "disagreement"]


class CandidateFilter(Schema):
    """Which COTs of a set; everything given must hold. A question passes when its COTs, taken together, do."""

    verdict: Verdict | None = None
    q: str | None = Field(default=None, max_length=200)
    """Words of the COT or, where questions are listed, of the question; "a phrase", begin*, -without."""
    duplicate: bool | None = None
    """Repeats an earlier COT of its question."""
    source_model: str | None = Field(default=None, max_length=120)
    """The model that an imported file names."""
    min_tokens: int | None = Field(default=None, ge=0, lt=2**31)
    max_tokens: int | None = Field(default=None, ge=0, lt=2**31)
    rated: bool | None = None
    min_rating: Unit | None = None
    """On 0 to 1, whatever the rating's scale."""
    max_rating: Unit | None = None
    min_disagreement: Unit | None = None
    """Largest difference between two raters of a COT, on 0 to 1."""
    model: str | None = Field(default=None, max_length=32)
    """The model run whose scores score, margin and violated mean."""
    min_score: float | None = Field(default=None, allow_inf_nan=False)
    max_score: float | None = Field(default=None, allow_inf_nan=False)
    violated: bool = False
    """In a pair in which the wrong COT is at least as likely as the right one."""
    min_margin: float | None = Field(default=None, allow_inf_nan=False)
    """Of the question: lowest score of a right COT less the highest of a wrong one."""
    max_margin: float | None = Field(default=None, allow_inf_nan=False)

    def needs_model(self) -> bool:
        """Whether scores are asked about."""
        values = (self.min_score, self.max_score, self.min_margin, self.max_margin)
        return self.violated or any(value is not None for value in values)


class ExportRequest(CandidateFilter):
    """An export of COTs or of preferences among them."""

    format: Literal["jsonl", "csv", "parquet", "trl-pairs", "ranked", "llama-factory"] = "jsonl"
    """COTs as rows; or preferences as JSON lines."""
    quality: Literal["verdict", "rating"] = "verdict"
    """What preferences go by: right over the rest, or the mean rating."""
    most_pairs: int | None = Field(default=None, ge=1, le=10_000)
    """Pairs of one question, at most; those that differ most."""


class Paged(CandidateFilter):
    """A page of a list."""

    descending: bool | None = None
    """By default the way in which the telling ones come first."""
    after: str | None = Field(default=None, max_length=80)
    limit: int = Field(default=50, ge=1, le=200)


class QuestionsQuery(Paged):
    """Questions of a set."""

    sort: QuestionSort = "position"
    """Sorted by a measured value, questions without it are left out."""


class CandidatesQuery(Paged):
    """COTs of a set."""

    sort: CandidateSort = "position"
    """Sorted by a measured value, COTs without it are left out."""
