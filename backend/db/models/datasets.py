"""Data sets, their immutable versions, examples, splits, uploads."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.db.models.base import ID, Base, new_id, utcnow

BigId = BigInteger().with_variant(Integer, "sqlite")


class Upload(Base):
    """A file received and not yet imported."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    filename: Mapped[str] = mapped_column(String(255))
    key: Mapped[str] = mapped_column(String(255))
    """Storage key of the bytes."""
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    detection: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Dataset(Base):
    """A named data set; its rows are in its versions."""

    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    task: Mapped[str] = mapped_column(String(32))
    description: Mapped[str] = mapped_column(Text, default="")
    builtin: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class DatasetVersion(Base):
    """An immutable list of examples. Only ``ready`` versions are visible outside their import.

    States: staging (being read) -> review (read; a person decides about rejected rows) -> ready,
    or discarded (its import failed and can be retried), or deleting (hidden; its rows are being removed).
    """

    __tablename__ = "dataset_versions"
    __table_args__ = (UniqueConstraint("dataset_id", "number"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), default="staging")
    task: Mapped[str] = mapped_column(String(32))
    sha256: Mapped[str | None] = mapped_column(String(64))
    n_rows: Mapped[int] = mapped_column(default=0)
    n_rejected: Mapped[int] = mapped_column(default=0)
    report: Mapped[dict[str, Any] | None]
    """Counts per part, lengths, duplicates, train/test overlap, sources with their sha256."""
    import_run_id: Mapped[str | None] = mapped_column(ID, index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Example(Base):
    """A question with its reference COT and gold answer."""

    __tablename__ = "examples"
    __table_args__ = (
        UniqueConstraint("version_id", "position"),
        Index("ix_examples_version_id_part_position", "version_id", "part", "position"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id", ondelete="CASCADE"))
    position: Mapped[int]
    """Row order within the version, from 0."""
    external_id: Mapped[str] = mapped_column(String(255))
    part: Mapped[str | None] = mapped_column(String(16))
    """train, validation or test, as the source file says; None when it says nothing."""
    question: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text)
    """Reference COT without the answer's marker line."""
    answer: Mapped[str] = mapped_column(Text)
    choices: Mapped[list[Any] | None]
    task: Mapped[str | None] = mapped_column(String(32))
    """The row's own task where the version holds several; otherwise None, and the version's counts."""

    def task_in(self, version_task: str) -> str:
        """How its answer is read, given its version's task."""
        return self.task or version_task


class RowReject(Base):
    """A row that could not be imported, and why."""

    __tablename__ = "row_rejects"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    version_id: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id", ondelete="CASCADE"), index=True)
    filename: Mapped[str] = mapped_column(String(255))
    row_number: Mapped[int]
    column: Mapped[str | None] = mapped_column(String(255))
    reason: Mapped[str] = mapped_column(Text)
    excerpt: Mapped[str] = mapped_column(Text, default="")


class Split(Base):
    """Train, validation and test questions of a version, drawn once and kept by id."""

    __tablename__ = "splits"
    __table_args__ = (UniqueConstraint("version_id", "name"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True, default=new_id)
    version_id: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    spec: Mapped[dict[str, Any]]
    """The SplitSpec it was drawn by: preset or counts, and seed."""
    counts: Mapped[dict[str, Any]]
    """Questions per part."""
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class SplitMember(Base):
    """One question's place in a split."""

    __tablename__ = "split_members"
    __table_args__ = (
        Index("ix_split_members_split_id_part_position", "split_id", "part", "position", unique=True),
        # Without it, deleting an example looks through the members of every split.
        Index("ix_split_members_example_id", "example_id"),
    )

    split_id: Mapped[str] = mapped_column(ForeignKey("splits.id", ondelete="CASCADE"), primary_key=True)
    example_id: Mapped[int] = mapped_column(ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True)
    part: Mapped[str] = mapped_column(String(16))
    position: Mapped[int]
