"""Uploads, imports, data sets, versions, examples and splits as the API shows them."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from aft.config.base import Config
from aft.data.formats import ColumnMapping, Detection
from aft.data.splits import SplitSpec
from backend.schemas.common import Schema
from backend.schemas.runs import RunError, RunProgress, RunState

Task = Literal["gsm8k", "aqua", "ecqa", "mmlu", "math", "arithmetic", "mixed"]
"""mixed: several of the others, each row with its own."""
Part = Literal["train", "validation", "test"]
VersionState = Literal["staging", "review", "ready", "discarded"]
OnInvalid = Literal["ask", "skip", "fail"]
PartChoice = Literal["train", "validation", "test", "unmarked"]
FileRole = Literal["questions", "explanations", "ids"]
"""questions: rows to import. explanations: reference COTs by id, for files of questions only (ECQA).
ids: a list of ids that says which part those questions belong to (ECQA's own split)."""


class DetectionRead(Schema):
    """What a file was recognised as."""

    task: Task | None
    """None when a person has to say, or the file holds no questions."""
    format: str
    """A published form such as gsm8k or ecqa-csv, or generic."""
    role: FileRole
    part: Part | None
    mapping: ColumnMapping | None
    """None when a person has to map the columns, or the file holds no questions."""
    why: str
    """What it was recognised by, in words."""
    note: str | None
    """What to know before importing it."""
    confidence: Literal["certain", "likely", "unknown"]


class UploadRead(Schema):
    """A received file."""

    id: str
    filename: str
    """The name the client gave: a label, never a place."""
    size_bytes: int
    sha256: str
    created_at: datetime
    detection: DetectionRead
    columns: list[str]
    problem: str | None
    """What a person has to decide first, such as columns to map; None when it can be imported as it is."""


class PreviewRequest(Schema):
    """How to read a file; what is left out comes from the detection."""

    task: Task | None = None
    mapping: ColumnMapping | None = None
    part: PartChoice | None = None


class CellError(Schema):
    """Why a row cannot be imported."""

    column: str | None
    reason: str


class PreviewRow(Schema):
    """A row as it would be imported."""

    row_number: int
    question: str | None
    reference: str | None
    answer: str | None
    """The answer's cell as the file has it."""
    gold: str | None
    """The gold answer parsed from it."""
    choices: list[str] | None
    part: Part | None
    error: CellError | None


class PreviewRead(Schema):
    """The first rows of a file under a mapping."""

    columns: list[str]
    task: Task | None
    mapping: ColumnMapping | None
    rows: list[PreviewRow]
    n_errors: int
    """Rows of this preview that could not be imported."""
    problem: str | None
    """Why no row can be parsed under this mapping and task; the rows then have cells only."""
    cells: list[dict[str, str]]
    """The same rows' cells as the file has them, shortened, for choosing columns."""


class ImportFileRequest(Schema):
    """A file of an import and how to read it; what is left out comes from the detection."""

    upload_id: str
    task: Task | None = None
    """Has to be the import's task; of a mixed import the task of this file's rows."""
    part: PartChoice | None = None
    mapping: ColumnMapping | None = None


class ImportRequest(Schema):
    """Make a data set, or a new version of one, from uploaded files."""

    dataset_name: str | None = Field(default=None, min_length=1, max_length=120)
    """Name of a new data set; not needed with dataset_id."""
    description: str = Field(default="", max_length=10_000)
    dataset_id: str | None = None
    """Import a new version of this data set."""
    task: Task
    files: list[ImportFileRequest] = Field(min_length=1, max_length=200)
    on_invalid: OnInvalid = "ask"
    """Rows that cannot be read: ask afterwards, skip them, or fail the import."""


class MixSource(Schema):
    """A data set version that goes into a mixture."""

    version_id: str
    split_id: str | None = None
    """Takes the questions of this split, with its parts; without one all, with the parts of the files."""


class MixRequest(Schema):
    """Make one data set of several, in which each question keeps its own task."""

    dataset_name: str = Field(min_length=1, max_length=120)
    description: str = Field(default="", max_length=10_000)
    sources: list[MixSource] = Field(min_length=2, max_length=20)


class ImportStarted(Schema):
    """The import's run and what it fills."""

    run_id: str
    dataset_id: str
    version_id: str


class ImportFile(Config):
    """A file of an import, frozen into its run."""

    upload_id: str
    filename: str
    key: str
    sha256: str
    size_bytes: int
    role: FileRole
    detection: Detection
    """Its part is the one chosen."""
    mapping: ColumnMapping | None
    """A person's mapping, instead of the detected one."""


class ImportConfig(Config):
    """Configuration of an import run."""

    kind: Literal["import"] = "import"
    task: Task
    on_invalid: OnInvalid = "ask"
    files: tuple[ImportFile, ...]


class Histogram(Schema):
    """A distribution of lengths in characters."""

    edges: list[int]
    """Bin i holds lengths from edges[i] to edges[i + 1] - 1; the last bin includes its right edge."""
    counts: list[int]
    minimum: int
    median: float
    p95: float
    maximum: int


class RepeatedQuestion(Schema):
    """A question that stands twice, ignoring case, white space and Unicode variants."""

    question: str
    first_position: int
    position: int
    first_part: Part | None
    part: Part | None


class Duplicates(Schema):
    """Questions that repeat an earlier one."""

    rows: int
    """Rows whose question stands earlier in the version."""
    distinct_questions: int
    within_parts: dict[str, int]
    """Of those rows, the ones that repeat a question of their own part; 'unmarked' is a part here."""
    examples: list[RepeatedQuestion]


class Overlap(Schema):
    """Questions that stand in two parts: what is trained on is tested on."""

    parts: tuple[Part, Part]
    rows: int
    """Rows of the second part whose question stands in the first."""
    examples: list[RepeatedQuestion]


class SourceFile(Schema):
    """A file that the version was made from."""

    filename: str
    sha256: str
    size_bytes: int
    rows: int
    rejected: int
    part: Part | None
    role: FileRole


class RejectReason(Schema):
    """A reason for refused rows."""

    column: str | None
    reason: str
    rows: int


class VersionReport(Schema):
    """What an import found."""

    parts: dict[str, int]
    """Rows per part; 'unmarked' where the files say nothing."""
    question_length: Histogram | None
    reference_length: Histogram | None
    rows_without_reference: int
    duplicates: Duplicates
    overlap: list[Overlap]
    sources: list[SourceFile]
    reject_reasons: list[RejectReason]
    """The most frequent first."""
    seconds: float


class SplitRead(Schema):
    """Train, validation and test questions of a version."""

    id: str
    version_id: str
    name: str
    spec: dict[str, Any]
    counts: dict[str, int]
    sha256: str
    """Over the parts and the examples' own ids, in order."""
    created_at: datetime


class SplitCreate(Schema):
    """Draw a split; its ids are kept."""

    name: str | None = Field(default=None, min_length=1, max_length=120)
    spec: SplitSpec


class SplitPreset(Schema):
    """The paper's numbers for a task, and whether a version can satisfy them."""

    name: str
    title: str
    spec: SplitSpec
    counts: dict[str, int | None]
    """Questions per part that it asks for; None means all there are."""
    possible: bool
    reason: str | None
    """Why it is not possible, with the numbers."""


class VersionSummary(Schema):
    """A version without its report."""

    id: str
    dataset_id: str
    number: int
    state: VersionState
    task: Task
    sha256: str | None
    n_rows: int
    n_rejected: int
    import_run_id: str | None
    created_at: datetime


class ImportProgress(Schema):
    """How a version's import is going."""

    run_id: str
    state: RunState
    progress: RunProgress
    error: RunError | None


class VersionRead(VersionSummary):
    """Everything about one version but its rows."""

    dataset_name: str
    report: VersionReport | None
    splits: list[SplitRead]
    importing: ImportProgress | None
    """None for versions that were not imported, and after the run was removed."""
    n_rejects_stored: int
    """Refused rows that can be listed; the download has all."""


class UsedBy(Schema):
    """Something that uses a thing and would lose it."""

    kind: Literal["experiment", "run"]
    id: str
    name: str


class DatasetSummary(Schema):
    """A row of the data set list."""

    id: str
    name: str
    task: Task
    description: str
    builtin: bool
    created_at: datetime
    newest: VersionSummary | None
    """The newest ready version."""
    pending: list[VersionSummary]
    """Versions being imported (staging) or waiting for a decision (review)."""
    n_versions: int
    """Ready versions."""
    parts: dict[str, int]
    """Rows per part of the newest ready version."""


class DatasetRead(DatasetSummary):
    """Everything about one data set."""

    versions: list[VersionRead]
    """Newest first; versions whose import failed are included as discarded."""
    used_by: list[UsedBy]
    """Experiments, and runs outside of experiments, that use any version."""


class DatasetPatch(Schema):
    """Change what people read; rows never change."""

    name: str | None = Field(default=None, min_length=1, max_length=120)
    description: str | None = Field(default=None, max_length=10_000)


class ExampleRead(Schema):
    """A question with its reference COT and gold answer."""

    id: int
    version_id: str
    position: int
    external_id: str
    part: Part | None
    """As the file says; inside a split, the split's part."""
    question: str
    reference: str
    answer: str
    choices: list[str] | None
    task: Task | None
    """The row's own task in a mixed version; otherwise None, and the version's counts."""
    text_truncated: bool
    """True in lists when a long text is shortened; /examples/{id} has all of it."""


class RejectRead(Schema):
    """A row that was refused."""

    id: int
    filename: str
    row_number: int
    column: str | None
    reason: str
    excerpt: str
