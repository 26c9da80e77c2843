"""All tables; importing this fills ``Base.metadata``."""

from backend.db.models.access import BrowserSession, LoginLink
from backend.db.models.base import Base, new_id, utcnow
from backend.db.models.base_models import BaseModelEntry
from backend.db.models.candidate_stats import (
    CandidateSet,
    CandidateSetModel,
    QuestionScores,
    QuestionStats,
    RatingSummary,
    SavedView,
)
from backend.db.models.candidates import Candidate, Rating, Score
from backend.db.models.datasets import Dataset, DatasetVersion, Example, RowReject, Split, SplitMember, Upload
from backend.db.models.experiments import Experiment, ExperimentRun
from backend.db.models.inspection import LabelOverride, ReferenceScore, Regrade, RegradeChange, TokenSpans
from backend.db.models.reviews import (
    Adjudication,
    Person,
    RankingSet,
    RankingSetEntry,
    RatingImport,
    Review,
    ReviewerSession,
    ReviewItem,
    ReviewQueue,
    ReviewSlot,
)
from backend.db.models.runs import (
    Artifact,
    Checkpoint,
    Event,
    Metric,
    Result,
    Run,
    RunAttempt,
    RunParent,
    RunTag,
    WorkerSlot,
)

__all__ = [
    "Adjudication",
    "Artifact",
    "Base",
    "BaseModelEntry",
    "BrowserSession",
    "Candidate",
    "CandidateSet",
    "CandidateSetModel",
    "Checkpoint",
    "Dataset",
    "DatasetVersion",
    "Event",
    "Example",
    "Experiment",
    "ExperimentRun",
    "LabelOverride",
    "LoginLink",
    "Metric",
    "Person",
    "QuestionScores",
    "QuestionStats",
    "RankingSet",
    "RankingSetEntry",
    "Rating",
    "RatingImport",
    "RatingSummary",
    "ReferenceScore",
    "Regrade",
    "RegradeChange",
    "Result",
    "Review",
    "ReviewItem",
    "ReviewQueue",
    "ReviewSlot",
    "ReviewerSession",
    "RowReject",
    "Run",
    "RunAttempt",
    "RunParent",
    "RunTag",
    "SavedView",
    "Score",
    "Split",
    "SplitMember",
    "TokenSpans",
    "Upload",
    "WorkerSlot",
    "new_id",
    "utcnow",
]
