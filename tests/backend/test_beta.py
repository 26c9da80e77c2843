"""The β explorer: coefficients of stored scores, shares over a set, its figure and its speed."""

import time
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from sqlalchemy import insert, select

from aft.config.sampling import SampleConfig
from aft.losses import score_gradient
from backend.charts.beta import PAPER_GRID, ShareCurve, pushed_down_curves
from backend.db.models import Candidate, Example, Rating, Score, utcnow
from backend.db.session import transaction
from backend.services import beta as explorer
from backend.services import candidates
from backend.services.candidates import SampledRow
from backend.services.score_arrays import ScoreArrays
from tests.backend.client import client
from tests.factories import make_dataset, make_run

SCORES = [[-0.5, -0.3, -0.9], [-0.2, -0.4, -0.1], [-0.6, -0.6, -0.7]]
RIGHT = [[True, False, False], [True, True, False], [True, True, True]]


@dataclass
class Stored:
    """Three questions: one violated, one with two rights, one without pairs; and a repeated text."""

    run_id: str
    model_id: str
    rate_id: str
    example_ids: list[int]


@pytest.fixture
def stored(database: str) -> Stored:
    with transaction() as session:
        version_id, split_id = make_dataset(session)
        inputs = {"dataset_version_id": version_id, "split_id": split_id}
        run = make_run(session, "sampled", kind="sample", config=SampleConfig().model_dump(mode="json"), inputs=inputs)
        model = make_run(session, "a model", kind="train", method="VFT", seed=1)
        rate = make_run(session, "rated", kind="rate", config={"judge": "oracle"}, parents={"candidates": run})
        examples = session.scalars(select(Example).where(Example.version_id == version_id).limit(3)).all()
        for example, rights in zip(examples, RIGHT, strict=True):
            texts = [f"n {n} [ANS] {example.answer if right else '-1'}" for n, right in enumerate(rights)]
            rows = [
                SampledRow(example.id, n, [1], text, "stop", example.answer, None)
                for n, text in enumerate([*texts, texts[0]])
            ]
            candidates.record(session, run_id=run.id, task="arithmetic", samples=rows)
        for example, values in zip(examples, SCORES, strict=True):
            query = select(Candidate.id).where(Candidate.run_id == run.id, Candidate.example_id == example.id)
            for candidate_id, value in zip(
                session.scalars(query.order_by(Candidate.sample_index)), [*values, -9.0], strict=True
            ):
                session.add(
                    Score(candidate_id=candidate_id, model_run_id=model.id, by_run_id=run.id, score=value, n_tokens=1)
                )
                session.add(
                    Rating(
                        candidate_id=candidate_id, run_id=rate.id, rater="oracle", value=10 * value, is_current=True,
                        created_at=utcnow(),
                    )
                )  # fmt: skip
        rate.state = "succeeded"
        return Stored(run.id, model.id, rate.id, [example.id for example in examples])


def test_coefficients_of_a_question_are_the_librarys(stored: Stored) -> None:
    url = f"/api/v1/candidate-sets/{stored.run_id}/beta/questions"
    with client() as web:
        page = web.get(url, params={"model": stored.model_id, "beta": 0.2}).json()
    assert [row["example_id"] for row in page["items"]] == stored.example_ids[:2]
    assert page["next_after"] is None
    for row, scores, rights in zip(page["items"], SCORES[:2], RIGHT[:2], strict=True):
        assert [one["score"] for one in row["candidates"]] == scores  # the repeated text is left out
        for constraint in ("none", "detached", "boundary"):
            loss, gradient = score_gradient(
                torch.tensor([scores]),
                torch.tensor([rights]).float(),
                method="aft",
                constraint=constraint,
                beta=0.2 if constraint == "boundary" else None,
            )
            assert [one["coefficients"][constraint] for one in row["candidates"]] == pytest.approx(
                gradient[0].tolist(), abs=1e-6
            )
            assert row["losses"][constraint] == pytest.approx(loss.item(), abs=1e-6)
    assert [one["lowest_better"] for one in page["items"][1]["candidates"]] == [None, None, -0.4]
    assert [one["place"] for one in page["items"][1]["candidates"]] == [0, 1, 2]
    assert [row["n_under"] for row in page["items"]] == [1, 0]


def test_the_set_is_summed_up_and_choices_are_offered(stored: Stored) -> None:
    url = f"/api/v1/candidate-sets/{stored.run_id}/beta"
    model = {"model": stored.model_id}
    with client() as web:
        assert web.get("/api/v1/candidate-sets/nothing/beta", params=model).status_code == 404
        assert web.get(url, params={"model": "f" * 32}).status_code == 404
        assert web.get(url, params={**model, "feedback": stored.model_id}).json()["errors"][0]["field"] == "feedback"
        assert web.get(url, params={**model, "beta": 99}).status_code == 422
        choices = web.get(f"{url}/choices").json()
        assert [one["model"] for one in choices["models"]] == ["VFT · seed 1"]
        assert [one["label"] for one in choices["feedback"]] == ["Right or wrong", "Ratings by oracle"]
        found = web.get(url, params={**model, "beta": 0.2}).json()
        assert (found["n_questions"], found["n_with_pairs"], found["n_worse"], found["n_under"]) == (3, 2, 3, 1)
        by_name = {effect["constraint"]: effect for effect in found["effects"]}
        assert by_name["none"]["pushed_down"] == 1
        assert (by_name["detached"]["pushed_down"], by_name["detached"]["push"]) == (0, 0)
        assert by_name["boundary"]["pushed_down"] == pytest.approx(2 / 3)
        assert by_name["boundary"]["pulled_up"] == pytest.approx(1 / 3)
        ranked = web.get(url, params={**model, "feedback": stored.rate_id}).json()
        assert ranked["n_with_pairs"] == 3
        one = web.get(f"{url}/questions/{stored.example_ids[2]}", params=model).json()
        assert one["losses"]["boundary"] == 0
        assert web.get(f"{url}/questions/999999", params=model).status_code == 404
        under = web.get(f"{url}/questions", params={**model, "beta": 0.2, "only_under": True}).json()["items"]
        assert [row["example_id"] for row in under] == stored.example_ids[:1]


def test_the_figure_marks_the_papers_grid_and_the_chosen_beta(stored: Stored) -> None:
    with client() as web:
        url = f"/api/v1/candidate-sets/{stored.run_id}/beta/figure"
        made = web.get(url, params={"model": stored.model_id, "beta": 0.2}).json()
    assert made["columns"] == ["β", "none (%)", "detached (%)", "boundary (%)"]
    assert made["rows"][0][:3] == [-0.8, 100, 0]
    parts = [trace["meta"]["part"] for trace in made["figure"]["data"]]
    assert parts == ["curve", "curve", "curve", "grid", "here"]


def test_a_set_without_pairs_draws_gaps() -> None:
    figure = pushed_down_curves([0.0, 0.1], [ShareCurve("boundary", [None, None])], beta=0.1, here=None)
    assert list(figure.data[0].y) == [None, None]
    assert len(PAPER_GRID) == 11
    assert "here" not in [trace.meta["part"] for trace in figure.data]


def test_ten_thousand_questions_answer_at_once() -> None:
    rng = np.random.default_rng(0)
    shape = (10_000, 8)
    found = ScoreArrays(
        "a run", np.arange(1, 10_001), np.arange(1, 80_001).reshape(shape), rng.normal(-0.5, 0.3, shape),
        (rng.random(shape) < 0.4).astype(float),
    )  # fmt: skip
    started = time.process_time()
    explorer.overview(found, 0.2)
    explorer.figure(found, 0.2)
    assert time.process_time() - started < 1.0


def test_new_scores_are_seen_once_a_run_has_ended(stored: Stored) -> None:
    url = f"/api/v1/candidate-sets/{stored.run_id}/beta"
    with client() as web:
        assert web.get(url, params={"model": stored.model_id}).json()["n_worse"] == 3
        with transaction() as session:
            other = make_run(session, "another model", kind="train", method="RFT", seed=1)
            ids = session.scalars(select(Candidate.id).where(Candidate.run_id == stored.run_id)).all()
            values = {"model_run_id": other.id, "by_run_id": other.id, "score": -1.0, "n_tokens": 1}
            session.execute(insert(Score), [{"candidate_id": one, **values} for one in ids])
        assert web.get(url, params={"model": other.id}).json()["n_under"] == 0
        with transaction() as session:
            for score in session.scalars(select(Score).where(Score.model_run_id == other.id)):
                score.score = -float(score.candidate_id)
            session.merge(other).finished_at = utcnow()
        assert web.get(url, params={"model": other.id}).json()["n_under"] > 0


def test_the_worst_violations_come_first_and_page_by_keyset(stored: Stored) -> None:
    url = f"/api/v1/candidate-sets/{stored.run_id}/violations"
    with client() as web:
        first = web.get(url, params={"model": stored.model_id, "limit": 1}).json()
        assert (first["n_questions"], first["n_questions_violated"]) == (2, 2)
        assert (first["n_pairs"], first["n_violated"]) == (4, 3)
        row = first["items"][0]
        assert row["example_id"] == stored.example_ids[1]
        assert (row["right"]["score"], row["wrong"]["score"]) == (-0.4, -0.1)
        assert row["margin"] == pytest.approx(-0.3)
        assert (row["n_violated"], row["n_pairs"]) == (2, 2)
        params = {"model": stored.model_id, "limit": 1, "after": first["next_after"], "against": stored.model_id}
        second = web.get(url, params=params).json()
        assert [item["example_id"] for item in second["items"]] == stored.example_ids[:1]
        assert second["items"][0]["margin_against"] == second["items"][0]["margin"]
        assert second["next_after"] is None
        assert web.get(url, params={**params, "after": "x"}).json()["errors"][0]["field"] == "after"
        assert web.get(url, params={"model": "f" * 32}).status_code == 404
