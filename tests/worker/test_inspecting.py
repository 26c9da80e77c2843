"""Tokens on demand, re-grading, and training on corrected labels, with a tiny model."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from aft.data.prompts import response_text
from backend.db.models import Candidate, Example, ReferenceScore, Regrade, RegradeChange, Run, Score, TokenSpans
from backend.db.session import reading, transaction
from backend.services import labels, regrading, tokens
from backend.services.candidates import get_set, unpack_ids
from tests.factories import train_config
from tests.worker.computing import compute
from tests.worker.test_tasks import SAMPLING, Chain, weights
from worker.failures import RunFailure


@pytest.fixture
def chain(data_directory: Path) -> Chain:
    return Chain()


def test_tokens_of_a_question_are_placed_in_its_texts_and_reported_scores_stay(chain: Chain) -> None:
    sampled = chain.made("sample", SAMPLING, checkpoint=chain.vft)
    with transaction() as session:
        example_id = session.scalars(select(Candidate.example_id).where(Candidate.run_id == sampled)).first()
        assert example_id is not None
        ids = session.scalars(
            select(Candidate.id).where(Candidate.run_id == sampled, Candidate.example_id == example_id)
        ).all()
        reported = Score(candidate_id=ids[0], model_run_id=chain.vft, by_run_id=sampled, score=-0.5, n_tokens=1)
        session.add(reported)
        session.flush()
        run, reused = tokens.request(session, get_set(session, sampled), example_id, chain.vft)
        assert not reused
        assert tokens.request(session, get_set(session, sampled), example_id, chain.vft) == (run, True)
        assert set(tokens.pending(session, sampled, example_id)) == {chain.vft}
    compute(run.id)
    with reading() as session:
        assert tokens.pending(session, sampled, example_id) == {}
        lines = tokens.of_question(session, session.get_one(Run, sampled), example_id, [chain.vft])
        assert sorted(session.scalars(select(Score.candidate_id))) == sorted(ids)
        assert sorted(session.scalars(select(TokenSpans.candidate_id))) == sorted(ids)
        assert session.get_one(Score, (ids[0], chain.vft)).score == -0.5
        for line in lines[1:]:
            stored = session.get_one(Candidate, line.candidate_id)
            assert len(line.ends) == len(unpack_ids(stored.token_ids)) == len(line.logprobs[chain.vft])
            assert line.ends == sorted(line.ends)
            assert line.ends[-1] == len(stored.text)
            if line.candidate_id != ids[0]:
                mean = np.mean(line.logprobs[chain.vft])
                assert mean == pytest.approx(line.scores[chain.vft], abs=5e-3)
        example = session.get_one(Example, example_id)
        reference = lines[0]
        assert reference.candidate_id is None
        assert reference.text == response_text(example.reference, example.answer, "arithmetic")
        assert reference.ends[-1] == len(reference.text)
        row = session.get_one(ReferenceScore, (example_id, chain.vft))
        assert np.mean(reference.logprobs[chain.vft]) == pytest.approx(row.score, abs=5e-3)


def test_a_regrade_keeps_both_labels_and_counts_the_flips(chain: Chain) -> None:
    sampled = chain.made("sample", SAMPLING, checkpoint=chain.vft)
    with transaction() as session:
        rows = session.scalars(select(Candidate).where(Candidate.run_id == sampled).order_by(Candidate.id)).all()
        truth = {row.id: row.verdict for row in rows}
        # As if an earlier extractor had read these differently.
        changed = rows[0].id, rows[1].id
        session.execute(
            update(Candidate).where(Candidate.id == changed[0]).values(verdict="right", answer_rule="an-old-rule")
        )
        session.execute(update(Candidate).where(Candidate.id == changed[1]).values(answer_rule="an-old-rule"))
        run, _ = regrading.request(session, get_set(session, sampled))
    compute(run.id)
    with reading() as session:
        done = session.get_one(Regrade, run.id)
        assert (done.n_candidates, done.n_changed) == (36, 2)
        before = truth[changed[0]]
        assert done.flips == ({f"right>{before}": 1} if before != "right" else {})
        assert session.scalars(select(RegradeChange.candidate_id)).all() == list(changed)
        # The stored labels are as they were.
        assert session.get_one(Candidate, changed[0]).verdict == "right"
        flipped = regrading.changes(session, run.id, flip=f"right>{before}", after=0, limit=10)
        assert [change.candidate_id for change, _, _ in flipped] == [changed[0]]
        assert labels.corrections(session, sampled, labels.pin(session, sampled)) == {changed[0]: before}
        assert labels.corrections(session, sampled, labels.NOTHING) == {}


def test_another_extractor_is_refused(chain: Chain) -> None:
    sampled = chain.made("sample", SAMPLING, checkpoint=chain.vft)
    run_id = chain.new("regrade", {"kind": "regrade", "extractor_version": 99}, candidates=sampled)
    with pytest.raises(RunFailure, match="extractor"):
        compute(run_id)


def test_training_counts_a_persons_label_only_when_asked(chain: Chain) -> None:
    sampled = chain.made("sample", SAMPLING, checkpoint=chain.vft)
    with transaction() as session:
        rows = session.scalars(select(Candidate).where(Candidate.run_id == sampled).order_by(Candidate.id)).all()
        for index, row in enumerate(rows):
            if index % 3 == 0 and row.finish_reason == "stop":
                flipped = "wrong" if row.verdict == "right" else "right"
                labels.override(
                    session, row.id, label=flipped, reason="test", person="Ann", request_id=f"request-{row.id}"
                )
        session.execute(update(Candidate).where(Candidate.run_id == sampled).values(finish_reason="stop"))
        pinned = labels.pin(session, sampled)
        assert labels.corrections(session, sampled, pinned)
    method = {"name": "rft"}
    plain = chain.made("train", train_config(method), start=chain.base, candidates=sampled)
    ignored = chain.made("train", train_config(method, labels="corrected"), start=chain.base, candidates=sampled)
    assert weights(plain) == weights(ignored)  # nothing is pinned, so nothing is corrected
    chain.inputs = {**chain.inputs, "labels": pinned}  # type: ignore[dict-item]
    corrected = chain.made("train", train_config(method, labels="corrected"), start=chain.base, candidates=sampled)
    assert weights(corrected) != weights(plain)
