"""Candidate COTs: stored with what was read from them, looked at by question."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select

from aft.config.sampling import SampleConfig
from backend.db.models import Candidate, Example, Run
from backend.db.session import transaction
from backend.services import candidates, scores
from backend.services.candidates import SampledRow, pack_ids, unpack_ids
from backend.services.scores import ScoredRow
from tests.backend.client import client
from tests.factories import make_dataset, make_run

HOSTILE = "<script>alert(1)</script> \u202eevil\u202c \x00 [ANS] 7"


@dataclass
class Stored:
    """A candidate set of three questions."""

    run_id: str
    model_id: str
    example_ids: list[int]


@pytest.fixture
def stored(database: str) -> Stored:
    with transaction() as session:
        version_id, split_id = make_dataset(session)
        inputs = {"dataset_version_id": version_id, "split_id": split_id}
        run = make_run(session, "sampled", kind="sample", config=SampleConfig().model_dump(mode="json"), inputs=inputs)
        model = make_run(session, "a model", kind="train", method="VFT", seed=1)
        query = select(Example).where(Example.version_id == version_id).order_by(Example.position).limit(3)
        examples = list(session.scalars(query))
        samples = []
        for example in examples:
            right, wrong = f"so [ANS] {example.answer}", f"so [ANS] {int(example.answer) + 1}"
            texts = [right, wrong, right, "no answer here", f"cut off [ANS] {example.answer}", HOSTILE]
            samples += [
                SampledRow(
                    example_id=example.id,
                    sample_index=index,
                    token_ids=[index, 70_000],
                    text=text,
                    finish_reason="length" if text.startswith("cut") else "stop",
                    gold=example.answer,
                    choices=None,
                )
                for index, text in enumerate(texts)
            ]
        stored_rows = candidates.record(session, run_id=run.id, task="arithmetic", samples=samples)
        assert stored_rows == 18
        # Stored already: a resumed run hands them over again and nothing is doubled.
        assert candidates.record(session, run_id=run.id, task="arithmetic", samples=samples[:6]) == 0
        scored: list[ScoredRow] = []
        for row in session.scalars(select(Candidate).where(Candidate.run_id == run.id)):
            ahead = row.verdict == "right" and row.example_id != examples[0].id
            value = -0.1 if ahead else -0.2 - 0.01 * row.sample_index
            if row.sample_index < 2:
                value = {0: -0.5, 1: -0.3}[row.sample_index] if row.example_id == examples[0].id else value
                scored.append(ScoredRow(row.id, value, 2))
        scores.record(session, model_run_id=model.id, by_run_id=run.id, rows=scored)
        return Stored(run.id, model.id, [example.id for example in examples])


def test_answers_are_read_and_a_cut_candidate_is_never_right(stored: Stored) -> None:
    with transaction() as session:
        rows = session.scalars(
            select(Candidate).where(Candidate.example_id == stored.example_ids[0]).order_by(Candidate.sample_index)
        ).all()
        verdicts = [row.verdict for row in rows][:5]
        assert verdicts == ["right", "wrong", "right", "unparsed", "truncated"]
        assert [row.is_duplicate for row in rows] == [False, False, True, False, False, False]
        first = rows[0]
        assert first.answer_start is not None
        assert first.text[first.answer_start : first.answer_end] == first.answer
        assert unpack_ids(rows[2].token_ids) == [2, 70_000]


def test_token_ids_survive_packing() -> None:
    ids = [0, 1, 65_535, 65_536, 4_294_967_295]
    assert unpack_ids(pack_ids(ids)) == ids


def test_questions_are_listed_with_counts_and_paged_by_keyset(stored: Stored) -> None:
    with client() as web:
        url = f"/api/v1/candidate-sets/{stored.run_id}/questions"
        first = web.get(url, params={"limit": 2, "model": stored.model_id}).json()
        assert [row["example_id"] for row in first["items"]] == stored.example_ids[:2]
        assert first["items"][0]["n_candidates"] == 6
        assert first["items"][0]["n_truncated"] == 1
        assert first["items"][0]["n_violated"] == 1
        assert first["items"][1]["n_violated"] == 0
        second = web.get(url, params={"limit": 2, "after": first["next_after"]}).json()
        assert [row["example_id"] for row in second["items"]] == stored.example_ids[2:]
        assert second["next_after"] is None


def test_filters_find_violated_pairs_and_text(stored: Stored) -> None:
    with client() as web:
        url = f"/api/v1/candidate-sets/{stored.run_id}/questions"
        violated = web.get(url, params={"violated": True, "model": stored.model_id}).json()["items"]
        assert [row["example_id"] for row in violated] == stored.example_ids[:1]
        assert len(web.get(url, params={"q": "NO ANSWER"}).json()["items"]) == 3
        assert web.get(url, params={"q": "100%_"}).json()["items"] == []
        assert len(web.get(url, params={"verdict": "unparsed"}).json()["items"]) == 3
        assert web.get(url, params={"verdict": "nonsense"}).status_code == 422
        assert web.get(url, params={"after": "x"}).status_code == 422


def test_a_question_shows_scores_reasons_and_the_pairs_the_model_gets_wrong(stored: Stored) -> None:
    with client() as web:
        group = web.get(f"/api/v1/candidate-sets/{stored.run_id}/questions/{stored.example_ids[0]}").json()
    right, wrong = group["candidates"][:2]
    assert right["scores"] == [{"model_run_id": stored.model_id, "model": "VFT · seed 1", "score": -0.5}]
    assert group["violated_pairs"] == [
        {
            "model_run_id": stored.model_id,
            "right_id": right["id"],
            "wrong_id": wrong["id"],
            "margin": pytest.approx(-0.2),
        }
    ]
    assert f"the gold answer is {group['answer']}" in wrong["why"]
    assert "length limit" in group["candidates"][4]["why"]


def test_hostile_text_is_data(stored: Stored) -> None:
    with client() as web:
        group = web.get(f"/api/v1/candidate-sets/{stored.run_id}/questions/{stored.example_ids[0]}")
        hostile = group.json()["candidates"][5]
        assert group.headers["content-type"] == "application/json"
        assert hostile["text"].startswith("<script>")
        assert "\x00" not in hostile["text"]
        answer = web.get(f"/api/v1/candidates/{hostile['id']}/text")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_very_long_text_is_cut_on_the_page_and_whole_in_the_download(stored: Stored) -> None:
    with transaction() as session:
        row = session.scalars(select(Candidate).where(Candidate.run_id == stored.run_id)).first()
        assert row is not None
        row.text = "x" * 5_000_000
        candidate_id, example_id = row.id, row.example_id
    with client() as web:
        group = web.get(f"/api/v1/candidate-sets/{stored.run_id}/questions/{example_id}").json()
        assert len(group["candidates"][0]["text"]) == candidates.SHOWN_TEXT
        assert group["candidates"][0]["text_truncated"] is True
        assert len(web.get(f"/api/v1/candidates/{candidate_id}/text").text) == 5_000_000


def test_what_is_not_there_is_a_problem_with_a_remedy(stored: Stored) -> None:
    with client() as web:
        for path in (
            "/api/v1/candidate-sets/nothing/questions",
            f"/api/v1/candidate-sets/{stored.model_id}/questions",
            f"/api/v1/candidate-sets/{stored.run_id}/questions/999999",
            "/api/v1/candidates/999999/text",
        ):
            answer = web.get(path)
            assert answer.status_code == 404, path
            assert answer.json()["remedy"]


def test_the_run_that_sampled_is_unchanged_by_looking(stored: Stored) -> None:
    with transaction() as session:
        before = session.get_one(Run, stored.run_id).state
    with client() as web:
        web.get(f"/api/v1/candidate-sets/{stored.run_id}/questions")
    with transaction() as session:
        assert session.get_one(Run, stored.run_id).state == before
