"""Text search in COTs and their questions: FTS5 on SQLite, tsvector with a GIN index on PostgreSQL.

Words are found whole, whatever their case; ``"two words"`` is a phrase, ``calcul*`` a beginning, ``-word`` excludes.
Triggers and a generated column keep the COTs' index in step (migration 0009); questions are put in by
``index_questions`` with their first COT, so that imports of data sets pay nothing.
"""

import json
import re
import string
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, literal_column, select, text
from sqlalchemy.orm import Session

from backend.db.models import Candidate, CandidateSet, QuestionStats

_SPACES = str.maketrans(dict.fromkeys(string.punctuation, " "))
_PIECE = re.compile(r'(-?)"([^"]*)"|(\S+)')
_CHUNK = 500
_MOST_TERMS = 12
_FEW = 20_000
"""Matches that are collected before anything else is looked at; with more, every fiftieth row or so of a million
matches, and rows are looked through in the page's order."""
_SCARCE = 50
"""The same as a share of a set, for PostgreSQL's estimate."""
_DENSE = 20
"""Ids lie close when there is one of them in so many: what matches between them is read in one go."""
_SHORTEST_BEGINNING = 3
DOCUMENT = (
    r"""to_tsvector('simple', translate(left({}, 100000), E'!"#$%&\'()*+,-./\:;<=>?@[\\]^_`{{|}}~', repeat(' ', 32)))"""
)


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand one after another."""

    words: tuple[str, ...]
    is_beginning: bool = False
    """The last word may go on."""
    excluded: bool = False


def parse(query: str) -> tuple[Term, ...]:
    """What a person typed, as terms; empty when there is no word in it."""
    terms = []
    for minus, phrase, word in _PIECE.findall(query.replace("\x00", " ")):
        excluded = bool(minus) or (word.startswith("-") and len(word) > 1)
        words = tuple((phrase or word).translate(_SPACES).lower().split())
        if words:
            beginning = word.endswith("*") and len(words[-1]) >= _SHORTEST_BEGINNING
            terms.append(Term(words, beginning, excluded))
    wanted = [term for term in terms if not term.excluded]
    return tuple(wanted + [term for term in terms if term.excluded])[:_MOST_TERMS] if wanted else ()


def fts5(terms: tuple[Term, ...]) -> str:
    """The terms in FTS5's language; every word is quoted, so that none is an operator."""
    found = ""
    for term in terms:
        said = f'"{" ".join(term.words)}"' + ("*" if term.is_beginning else "")
        found += f" NOT {said}" if term.excluded else f" AND {said}" if found else said
    return found


def tsquery(terms: tuple[Term, ...]) -> str:
    """The terms in PostgreSQL's language."""
    parts = []
    for term in terms:
        words = ["'" + word.replace("\\", "\\\\").replace("'", "''") + "'" for word in term.words]
        words[-1] += ":*" if term.is_beginning else ""
        said = " <-> ".join(words)
        parts.append(f"!({said})" if term.excluded else f"({said})")
    return " & ".join(parts)


@dataclass(frozen=True, slots=True)
class Search:
    """A search in one candidate set, with how common its words are."""

    run_id: str
    terms: tuple[Term, ...]
    is_rare: bool
    """Few enough matches to collect them all before anything else is looked at."""
    is_postgresql: bool
    first: int = 0
    last: int = 0
    """Lowest and highest candidate id of the set, for FTS5."""

    @property
    def is_scanned(self) -> bool:
        """Whether a page is found by going through rows and asking ``hits`` about some at a time."""
        return bool(self.terms) and not self.is_rare and not self.is_postgresql

    def candidates(self) -> Any:
        """Condition on ``Candidate``: its text matches."""
        if not self.terms:
            return literal_column("1 = 0")
        if self.is_postgresql:
            return text("candidates.search @@ to_tsquery('simple', :found)").bindparams(
                bindparam("found", tsquery(self.terms))
            )
        return Candidate.id.in_(self.matches())

    def questions(self) -> ColumnElement[bool]:
        """Condition on ``QuestionStats``: the question or one of its candidates matches."""
        if not self.terms:
            return literal_column("1 = 0")
        in_question = self._question_ids()
        if self.is_rare or not self.is_postgresql:
            found = in_question.union_all(select(Candidate.example_id).where(self.of_set(), self.candidates()))
            return QuestionStats.example_id.in_(found)
        others = select(Candidate.example_id).where(Candidate.run_id == QuestionStats.run_id, self.candidates())
        # OFFSET keeps PostgreSQL from collecting every match of a common word first.
        mine = others.where(Candidate.example_id == QuestionStats.example_id).offset(0)
        return QuestionStats.example_id.in_(in_question) | mine.correlate(QuestionStats).exists()

    def of_set(self) -> Any:
        """Condition on ``Candidate``: it is of the set. SQLite is to begin with the few matches, not with the set."""
        begins_with_matches = bool(self.terms) and self.is_rare and not self.is_postgresql
        return (Candidate.run_id + "" if begins_with_matches else Candidate.run_id) == self.run_id

    def hits(self, session: Session, ids: Collection[int]) -> set[int]:
        """Which of some candidates match, on SQLite.

        Args:
            session: The transaction.
            ids: The candidates; asked about at once, since each MATCH has a beginning's words to put together.
        """
        if not ids:
            return set()
        first, last = min(ids), max(ids)
        if last - first <= _DENSE * len(ids) or any(term.is_beginning for term in self.terms):
            return set(session.scalars(replace(self, first=first, last=last).matches())) & set(ids)
        query = text("SELECT rowid FROM candidate_search WHERE candidate_search MATCH :found AND rowid IN :ids")
        query = query.bindparams(bindparam("ids", expanding=True))
        found: set[int] = set()
        ordered = sorted(ids)
        for start in range(0, len(ordered), _CHUNK):
            chunk = {"found": fts5(self.terms), "ids": ordered[start : start + _CHUNK]}
            found.update(session.scalars(query, chunk))
        return found

    def question_hits(self, session: Session, example_ids: Collection[int]) -> set[int]:
        """Which of some questions match or have a candidate of the set that does, on SQLite."""
        if not example_ids:
            return set()
        first, last = min(example_ids), max(example_ids)
        query = self._question_ids().where(literal_column("question_search.rowid").between(first, last))
        found = set(session.scalars(query)) & set(example_ids)
        ordered = sorted(set(example_ids) - found)
        for start in range(0, len(ordered), _CHUNK):
            chunk = ordered[start : start + _CHUNK]
            mine = Candidate.run_id == self.run_id, Candidate.example_id.in_(chunk)
            span: Any = select(func.min(Candidate.id), func.max(Candidate.id), func.count()).where(*mine)
            lowest, highest, n = session.execute(span).one()
            if n and highest - lowest <= _DENSE * n:
                between = replace(self, first=lowest, last=highest, is_rare=True)
                some = select(Candidate.example_id).where(between.of_set(), between.candidates()).distinct()
                found.update(set(session.scalars(some)) & set(chunk))
            else:
                of = dict(session.execute(select(Candidate.id, Candidate.example_id).where(*mine)).all())
                found.update(of[one] for one in self.hits(session, of.keys()))
        return found

    def matches(self) -> Select[Any]:
        """Ids of matching candidates, on SQLite."""
        condition = text("candidate_search MATCH :found AND rowid BETWEEN :first AND :last").bindparams(
            bindparam("found", fts5(self.terms)), bindparam("first", self.first), bindparam("last", self.last)
        )
        return select(literal_column("rowid")).select_from(text("candidate_search")).where(condition)

    def _question_ids(self) -> Select[Any]:
        if self.is_postgresql:
            condition = text("document @@ to_tsquery('simple', :asked)").bindparams(
                bindparam("asked", tsquery(self.terms))
            )
            return (
                select(literal_column("question_search.example_id"))
                .select_from(text("question_search"))
                .where(condition)
            )
        condition = text("question_search MATCH :asked").bindparams(bindparam("asked", fts5(self.terms)))
        return select(literal_column("question_search.rowid")).select_from(text("question_search")).where(condition)


def prepare(session: Session, among: CandidateSet, query: str) -> Search:
    """Read a query and find out whether its matches are few.

    Args:
        session: The transaction.
        among: The candidate set.
        query: What a person typed.
    """
    terms = parse(query)
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    if not terms:
        return Search(among.run_id, (), True, is_postgresql)
    if is_postgresql:
        # The planner's own estimate: counting common words would read as much as the search itself.
        plan = session.scalar(
            text("EXPLAIN (FORMAT JSON) SELECT 1 FROM candidates WHERE search @@ to_tsquery('simple', :found)"),
            {"found": tsquery(terms)},
        )
        plan = json.loads(plan) if isinstance(plan, str) else plan
        return Search(
            among.run_id, terms, plan[0]["Plan"]["Plan Rows"] <= max(_FEW, among.n_candidates // _SCARCE), True
        )
    search = Search(among.run_id, terms, True, False, among.first_id or 0, among.last_id or 0)
    counted = select(func.count()).select_from(search.matches().limit(_FEW + 1).subquery())
    return replace(search, is_rare=(session.scalar(counted) or 0) <= _FEW)


def index_questions(session: Session, example_ids: Collection[int] | None, *, run_id: str | None = None) -> None:
    """Make questions searchable: some, or all of a candidate set."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        insert = f"INSERT INTO question_search SELECT id, {DOCUMENT.format('question')} FROM examples WHERE "
        ending = " ON CONFLICT DO NOTHING"
    else:
        insert = "INSERT INTO question_search(rowid, question) SELECT id, question FROM examples WHERE "
        ending = " AND NOT EXISTS (SELECT 1 FROM question_search_docsize AS known WHERE known.id = examples.id)"
    if example_ids is None:
        which = "id IN (SELECT example_id FROM candidates WHERE run_id = :run_id)"
        session.execute(text(insert + which + ending), {"run_id": run_id})
        return
    ordered = sorted(set(example_ids))
    for start in range(0, len(ordered), _CHUNK):
        statement = text(insert + "id IN :ids" + ending).bindparams(bindparam("ids", expanding=True))
        session.execute(statement, {"ids": ordered[start : start + _CHUNK]})
