"""Splits of a data set version: drawn once, kept by id."""

import array
import hashlib
from collections.abc import Iterable, Iterator

from sqlalchemy import func, insert, literal, select
from sqlalchemy.orm import Session

from aft.data.splits import PRESETS, SplitSpec, make_split
from backend.db.models import DatasetVersion, Example, Split, SplitMember
from backend.errors import Conflict, Invalid, NotFound
from backend.schemas.datasets import SplitPreset
from backend.services import events
from backend.services.import_report import PARTS, split_sha256

AS_IN_FILES = "as in the files"
_CHUNK = 20_000
_CHECKED_ROWS = 100_000
"""Presets are tried out for versions up to this many rows; trying takes about 5 microseconds a row."""


def get(session: Session, split_id: str) -> Split:
    """The split.

    Raises:
        NotFound: If there is none.
    """
    split = session.get(Split, split_id)
    if split is None:
        raise NotFound(f"There is no split {split_id[:40]!r}.", remedy="Choose one on the data set's page.")
    return split


def of_version(session: Session, version_id: str) -> list[Split]:
    """A version's splits, newest first."""
    return list(session.scalars(select(Split).where(Split.version_id == version_id).order_by(Split.id.desc())))


def newest(session: Session, version_id: str) -> Split | None:
    """The version's newest split, if it has one."""
    return session.scalar(select(Split).where(Split.version_id == version_id).order_by(Split.id.desc()).limit(1))


def of_version_or_newest(session: Session, version_id: str, split_id: str | None) -> Split:
    """The split asked for, or the version's newest.

    Raises:
        Invalid: If the version has none, or the split is another version's.
        NotFound: If there is no such split.
    """
    split = newest(session, version_id) if split_id is None else get(session, split_id)
    if split is None:
        raise Invalid(
            "The data set version has no split into train, validation and test.",
            remedy="Make one on the data set's page, or with `aft datasets split`.",
            field="split_id",
        )
    if split.version_id != version_id:
        raise Invalid(
            f"Split {split.id} belongs to another data set version.",
            remedy="Choose a split of the chosen version.",
            field="split_id",
        )
    return split


def create(session: Session, version: DatasetVersion, spec: SplitSpec, name: str | None = None) -> Split:
    """Draw a split and keep its ids. The same version, spec and seed give the same questions everywhere.

    Raises:
        Conflict: If the version is not ready, or has a split of this name.
        Invalid: If it has fewer questions than asked for.
    """
    if version.state != "ready":
        raise Conflict(f"The data set version is in state '{version.state}'.", remedy="Finish its import first.")
    if name and session.scalar(select(Split.id).where(Split.version_id == version.id, Split.name == name)):
        raise Conflict(f"The version has a split named '{name}' already.", remedy="Choose another name.", field="name")
    ids, names = array.array("q"), list[str]()
    query = (
        select(Example.id, Example.external_id, Example.part, Example.question)
        .where(Example.version_id == version.id)
        .order_by(Example.position)
    )

    def rows() -> Iterator[tuple[int, str | None, str]]:
        # Positions stand for the rows, so that nothing depends on the numbers this database happened to give.
        for position, (example_id, external_id, part, question) in enumerate(session.execute(query).yield_per(2000)):
            ids.append(example_id)
            names.append(external_id)
            yield position, part, question

    try:
        drawn = make_split(rows(), spec)
    except ValueError as error:
        raise Invalid(str(error), field="spec") from error
    counts: dict[str, int] = {part: len(drawn[part]) for part in PARTS}
    split = Split(
        version_id=version.id,
        name=name or _free_name(session, version.id, _describe(spec, counts)),
        spec=spec.model_dump(mode="json", exclude_defaults=True) | {"seed": spec.seed},
        counts=counts,
        sha256=split_sha256({part: (names[position] for position in drawn[part]) for part in PARTS}),
    )
    session.add(split)
    session.flush()
    for part in PARTS:
        for start in range(0, len(drawn[part]), _CHUNK):
            members = [
                {"split_id": split.id, "example_id": ids[position], "part": part, "position": start + offset}
                for offset, position in enumerate(drawn[part][start : start + _CHUNK])
            ]
            session.execute(insert(SplitMember), members)
    events.publish(session, "dataset", "split", subject_id=version.dataset_id, data={"split_id": split.id})
    return split


def add_as_in_files(session: Session, version_id: str, counts: dict[str, int], sha256: str) -> Split:
    """An empty split that takes the parts as the files mark them; ``fill_as_in_files`` adds its questions."""
    kept = {part: counts.get(part, 0) for part in PARTS}
    split = Split(version_id=version_id, name=AS_IN_FILES, spec={"as_in_files": True}, counts=kept, sha256=sha256)
    session.add(split)
    session.flush()
    return split


def fill_as_in_files(session: Session, split: Split, first: int, last: int, filled: dict[str, int]) -> None:
    """Add the examples at positions ``first`` to ``last - 1``.

    Args:
        session: The transaction.
        split: From ``add_as_in_files``.
        first: Position in the version.
        last: Position after the last.
        filled: Members per part so far; updated.
    """
    rank = func.row_number().over(order_by=Example.position)
    columns = [SplitMember.split_id, SplitMember.example_id, SplitMember.part, SplitMember.position]
    for part in PARTS:
        offset = filled.get(part, 0)
        members = select(literal(split.id), Example.id, Example.part, rank + (offset - 1)).where(
            Example.version_id == split.version_id,
            Example.part == part,
            Example.position >= first,
            Example.position < last,
        )
        session.execute(insert(SplitMember).from_select(columns, members))
        # Not the statement's row count, which PostgreSQL's driver does not give here.
        filled[part] = offset + (session.scalar(select(func.count()).select_from(members.subquery())) or 0)


def presets(session: Session, version: DatasetVersion) -> list[SplitPreset]:
    """The paper's splits for the version's task, and whether this version has the questions for them."""
    names = [name for name in PRESETS if name == version.task or name.startswith(f"{version.task}-")]
    specs = {name: SplitSpec(preset=name) for name in names}
    reasons: dict[str, str | None] = dict.fromkeys(names)
    if version.n_rows <= _CHECKED_ROWS:
        query = select(Example.position, Example.part, Example.question).where(Example.version_id == version.id)
        rows = [(position, part, question) for position, part, question in session.execute(query)]
        reasons = {name: _shortage(rows, spec) for name, spec in specs.items()}
    return [
        SplitPreset(
            name=name,
            title=PRESETS[name].title,
            spec=specs[name],
            counts={str(part): count for part, count in PRESETS[name].counts.items()},
            possible=reasons[name] is None,
            reason=reasons[name],
        )
        for name in names
    ]


def questions(session: Session, split_id: str, part: str, limit: int | None = None, seed: int = 0) -> list[Example]:
    """Questions of a part in the order that ``seed`` gives; a smaller ``limit`` gives the first of the same ones.

    The order is that of a hash of the seed and the example's own id, so it does not depend on the database.

    Raises:
        NotFound: If there is no such split.
        Invalid: If the part is empty.
    """
    split = get(session, split_id)
    query = (
        select(Example.id, Example.external_id, Example.position)
        .join(SplitMember, SplitMember.example_id == Example.id)
        .where(SplitMember.split_id == split_id, SplitMember.part == part)
    )
    ranked = sorted(
        (hashlib.blake2b(f"{seed}:{external_id}".encode(), digest_size=16).digest(), position, example_id)
        for example_id, external_id, position in session.execute(query)
    )
    if not ranked:
        raise Invalid(
            f"Split '{split.name}' has no {part} questions.", remedy="Draw a split that has some.", field="split_id"
        )
    chosen = [example_id for *_, example_id in (ranked if limit is None else ranked[:limit])]
    return list(_in_order(session, chosen))


def _in_order(session: Session, ids: list[int]) -> Iterator[Example]:
    for start in range(0, len(ids), 500):
        chunk = ids[start : start + 500]
        found = {example.id: example for example in session.scalars(select(Example).where(Example.id.in_(chunk)))}
        yield from (found[example_id] for example_id in chunk)


def _shortage(rows: Iterable[tuple[int, str | None, str]], spec: SplitSpec) -> str | None:
    try:
        make_split(rows, spec)
    except ValueError as error:
        return str(error)
    return None


def _describe(spec: SplitSpec, counts: dict[str, int]) -> str:
    """By what was drawn, which is less than asked for where fewer are allowed."""
    if spec.preset is not None:
        return f"{spec.preset} preset, seed {spec.seed}"
    return f"{' / '.join(str(counts[part]) for part in ('train', 'validation', 'test'))}, seed {spec.seed}"


def _free_name(session: Session, version_id: str, wanted: str) -> str:
    taken = set(session.scalars(select(Split.name).where(Split.version_id == version_id)))
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted} ({number})"
    return name
