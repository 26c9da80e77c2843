"""Find the question that a row of a candidate file means: by its text, or by its id where it has none."""

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.data.questions import question_digest
from aft.data.sources import RowError
from backend.db.models import Example

_ROWS = 10_000


class QuestionMatcher:
    """The questions of a data set version by digests of their texts and ids: 32 bytes each."""

    def __init__(self, session: Session, version_id: str, *, by_choices: bool) -> None:
        """Read the questions.

        Args:
            session: The transaction.
            version_id: The data set version.
            by_choices: Whether equal texts can be different questions, for their choices differ.
        """
        self._by_choices = by_choices
        texts, names, ids = [], [], []
        query = select(Example.id, Example.external_id, Example.question).where(Example.version_id == version_id)
        for row in session.execute(query.order_by(Example.position).execution_options(yield_per=_ROWS)):
            ids.append(row.id)
            names.append(question_digest(row.external_id))
            texts.append(question_digest(row.question))
        self._ids = np.array(ids, dtype=np.int64)
        self._texts, self._by_text = _sorted(texts)
        self._names, self._by_name = _sorted(names)

    def __len__(self) -> int:
        return len(self._ids)

    def find(self, question: str | None, question_id: str | None) -> int:
        """Id of the example.

        Raises:
            RowError: If there is none, or several that the id does not tell apart.
        """
        named = self._look_up(self._names, self._by_name, question_id)
        if question is None:
            if named:
                return self._one(named, f"{len(named)} questions of the data set have the id {_shown(question_id)}.")
            raise RowError(None, f"No question of the data set has the id {_shown(question_id)}.")
        found = self._look_up(self._texts, self._by_text, question)
        if not found:
            reason = "No question of the data set has this text"
            if named:
                reason = f"The question with the id {_shown(question_id)} has another text in the data set"
            raise RowError(None, f"{reason}: {_shown(question)}")
        both = sorted(set(found) & set(named)) or found
        return self._one(both, f"The data set has this question {len(both)} times; give its id: {_shown(question)}")

    def _one(self, found: list[int], otherwise: str) -> int:
        if len(found) > 1 and self._by_choices:
            raise RowError(None, otherwise)
        return found[0]

    def _look_up(self, digests: NDArray[np.uint64], places: NDArray[np.intp], text: str | None) -> list[int]:
        if text is None:
            return []
        digest = np.uint64(question_digest(text))
        first, last = np.searchsorted(digests, digest, "left"), np.searchsorted(digests, digest, "right")
        return [int(one) for one in self._ids[places[first:last]]]


def _sorted(digests: list[int]) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
    values = np.array(digests, dtype=np.uint64)
    order = np.argsort(values, kind="stable")
    return values[order], order


def _shown(text: str | None) -> str:
    return repr(text if text is None or len(text) <= 80 else f"{text[:79]}…")
