"""Training on a ranking set, and how far a model's scores agree with one."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from aft.training.groups import QuestionRecord
from backend.db.models import Candidate, Result, Run
from backend.db.session import reading, transaction
from backend.schemas.ranking_sets import RankingSetCreate
from backend.services import measurements, ranking_sets, ratings
from backend.services.ratings import RatedRow
from tests.factories import make_run, train_config
from tests.worker.computing import compute, create
from tests.worker.test_tasks import SAMPLING, Chain
from worker.failures import RunFailure
from worker.tasks import groups, training


@pytest.fixture
def chain(data_directory: Path) -> Chain:
    return Chain()


def rank_some(sampled: str, questions: int) -> tuple[str, list[int]]:
    """A ranking set of the first two COTs of the first so many questions, the second better; gives id and COTs."""
    with transaction() as session:
        rows = session.scalars(
            select(Candidate)
            .where(Candidate.run_id == sampled, Candidate.sample_index < 2)
            .order_by(Candidate.example_id, Candidate.sample_index)
            .limit(2 * questions)
        ).all()
        judge = make_run(session, "judged", kind="rate")
        rated = [RatedRow(row.id, 2.0 + 6.0 * row.sample_index) for row in rows]
        ratings.record(session, run_id=judge.id, rater="gpt", rows=rated)
        body = RankingSetCreate.model_validate(
            {"name": "ranked", "source": {"run_id": sampled}, "settings": {"sources": ["judge"]}}
        )
        return ranking_sets.create(session, body).id, [row.id for row in rows]


def test_a_ranking_set_trains_without_its_unrated_cots_and_is_compared_with(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampled = chain.made("sample", SAMPLING, checkpoint=chain.vft)
    set_id, ids = rank_some(sampled, 5)
    seen: list[QuestionRecord] = []
    whole = groups.question_records

    def remembered(*given: Any) -> list[QuestionRecord]:
        seen.extend(whole(*given))
        return seen

    monkeypatch.setattr(training, "question_records", remembered)
    trained = create(
        kind="train",
        config=train_config({"name": "aft", "constraint": "detached"}, feedback="ranking"),
        inputs={**chain.inputs, "ranking_set_id": set_id},
        parents={"start": chain.base, "candidates": sampled},
    )
    compute(trained)
    rated = [[candidate.rating for candidate in record.candidates] for record in seen]
    assert sorted(rated) == [[]] * 7 + [[2.0, 8.0]] * 5
    evaluation = create(
        kind="evaluate",
        config={"kind": "evaluate", "max_new_tokens": 20},
        inputs={**chain.inputs, "agreement_set_id": set_id},
        parents={"checkpoint": trained},
    )
    compute(evaluation)
    with reading() as session:
        stored = session.get(Result, (evaluation, "rating_agreement"))
        assert stored is not None
        assert (stored.n, stored.details and stored.details["pairs"]) == (5, 5)
        assert stored.value is not None
        assert 5 * stored.value == pytest.approx(round(5 * stored.value))
        again = {item.metric: item for item in measurements.recompute(session, session.get_one(Run, evaluation))}
        assert again["rating_agreement"].is_equal
        assert len(ids) == 10


def test_a_set_of_other_questions_is_a_plain_cause(chain: Chain) -> None:
    sampled = chain.made("sample", SAMPLING, checkpoint=chain.vft)
    other = chain.made("sample", {**SAMPLING, "seed": 5}, checkpoint=chain.vft)
    set_id, _ = rank_some(other, 2)
    run_id = create(
        kind="train",
        config=train_config({"name": "aft"}, feedback="ranking"),
        inputs={**chain.inputs, "ranking_set_id": set_id},
        parents={"start": chain.base, "candidates": sampled},
    )
    with pytest.raises(RunFailure, match="rates none of the training questions"):
        compute(run_id)
