"""Looking closely at a COT through the API: how it was read, people's labels, tokens asked for, re-grades."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from aft.answers import EXTRACTOR_VERSION
from aft.config.sampling import SampleConfig
from backend.db.models import Candidate, Checkpoint, Example, LabelOverride, Regrade, RegradeChange, Run
from backend.db.session import transaction
from backend.services import candidates, labels
from backend.services.candidates import SampledRow
from tests.backend.client import client
from tests.factories import make_dataset, make_run


@dataclass
class Stored:
    """A set of one question: a right, a wrong, an unparsed and a truncated COT, and a finished model."""

    run_id: str
    model_id: str
    example_id: int
    gold: str
    ids: list[int]


@pytest.fixture
def stored(database: str) -> Stored:
    with transaction() as session:
        version_id, split_id = make_dataset(session)
        inputs = {"dataset_version_id": version_id, "split_id": split_id}
        run = make_run(session, "sampled", kind="sample", config=SampleConfig().model_dump(mode="json"), inputs=inputs)
        model = make_run(session, "a model", kind="train", method="VFT", seed=1)
        session.get_one(Run, run.id).state = session.get_one(Run, model.id).state = "succeeded"
        session.add(
            Checkpoint(
                run_id=model.id, purpose="final", step=1, attempt=1, key="runs/x/final", sha256="0" * 64, size_bytes=1
            )
        )
        example = session.scalars(select(Example).where(Example.version_id == version_id)).first()
        assert example is not None
        texts = [
            f"first 3 so [ANS] {example.answer}",
            "<b>so</b> [ANS] -77",
            "no answer",
            f"cut [ANS] {example.answer}",
        ]
        rows = [
            SampledRow(
                example.id, n, [n + 1], text, "length" if text.startswith("cut") else "stop", example.answer, None
            )
            for n, text in enumerate(texts)
        ]
        candidates.record(session, run_id=run.id, task="arithmetic", samples=rows)
        ids = session.scalars(select(Candidate.id).where(Candidate.run_id == run.id).order_by(Candidate.id)).all()
        return Stored(run.id, model.id, example.id, example.answer, list(ids))


def label(candidate_id: int, **body: Any) -> Any:
    with client() as web:
        values = {"request_id": f"request-{candidate_id}", "label": "wrong", "reason": "a guess", "person": "Ann"}
        return web.post(f"/api/v1/candidates/{candidate_id}/labels", json={**values, **body})


def test_an_extraction_shows_rules_places_and_the_comparison(stored: Stored) -> None:
    with client() as web:
        assert web.get("/api/v1/candidates/999999/extraction").status_code == 404
        right, wrong, unparsed, cut = [web.get(f"/api/v1/candidates/{one}/extraction").json() for one in stored.ids]
    assert [item["verdict"] for item in (right, wrong, unparsed, cut)] == ["right", "wrong", "unparsed", "truncated"]
    assert [item["present_verdict"] for item in (right, wrong, unparsed, cut)] == [
        "right", "wrong", "unparsed", "truncated",
    ]  # fmt: skip
    first = right["attempts"][0]
    assert (first["rule"], first["outcome"], first["decides"]) == ("ans-marker", "read", True)
    assert first["excerpt"]["before"].endswith("[ANS]")
    assert first["excerpt"]["text"].strip() == stored.gold
    assert [attempt["rule"] for attempt in right["attempts"]] == ["ans-marker", "last-number"]
    assert not right["attempts"][1]["decides"]
    assert "differ by" in " ".join(wrong["steps"])
    assert wrong["gold"] == stored.gold
    assert unparsed["attempts"][-1]["outcome"] == "nothing"
    assert "never counts as right" in cut["steps"][-1]
    assert right["extractor_version"] == right["present_version"] == EXTRACTOR_VERSION


def test_a_label_needs_a_reason_and_a_name_and_stands_beside_the_automatic_one(stored: Stored) -> None:
    target = stored.ids[0]
    assert label(999_999).status_code == 404
    assert label(target, reason="  ").json()["errors"][0]["field"] == "reason"
    assert label(target, person="").json()["errors"][0]["field"] == "person"
    assert label(target, label="truncated").status_code == 422
    assert "cut at the length limit" in label(stored.ids[3]).json()["detail"]
    assert label(target, label=None).status_code == 409
    with transaction() as session:
        assert session.scalars(select(LabelOverride)).all() == []
    made = label(target).json()
    assert label(target).json() == made  # the same press of the button
    with client() as web:
        found = web.get(f"/api/v1/candidates/{target}/extraction").json()
        assert (found["verdict"], found["label"]["label"], found["label"]["person"]) == ("right", "wrong", "Ann")
        group = web.get(f"/api/v1/candidate-sets/{stored.run_id}/questions/{stored.example_id}").json()
        assert group["candidates"][0]["verdict"] == "right"
        assert group["candidates"][0]["label"]["label"] == "wrong"
        assert group["candidates"][1]["label"] is None
        assert web.get(f"/api/v1/candidate-sets/{stored.run_id}/labellings").json()["n_labelled"] == 1


def test_a_label_is_withdrawn_by_another_row_and_earlier_pins_still_see_it(stored: Stored) -> None:
    target = stored.ids[0]
    label(target)
    with transaction() as session:
        before = labels.pin(session, stored.run_id)
    assert label(target, label=None, reason="", request_id="another-press").json()["label"] is None
    with client() as web:
        found = web.get(f"/api/v1/candidates/{target}/extraction").json()
    assert found["label"] is None
    assert [row["label"] for row in found["history"]] == [None, "wrong"]
    with transaction() as session:
        after = labels.pin(session, stored.run_id)
        assert after["overrides"] > before["overrides"]
        assert labels.corrections(session, stored.run_id, before) == {target: "wrong"}
        assert labels.corrections(session, stored.run_id, after) == {}


def test_tokens_are_computed_once_by_a_finished_model(stored: Stored) -> None:
    url = f"/api/v1/candidate-sets/{stored.run_id}/questions/{stored.example_id}/tokens"
    with client() as web:
        choices = web.get(f"/api/v1/candidate-sets/{stored.run_id}/checkpoints").json()
        assert [choice["model"] for choice in choices] == ["VFT · seed 1"]
        empty = web.get(url, params={"model": stored.model_id}).json()
        assert [line["candidate_id"] for line in empty["lines"]] == [None, *stored.ids]
        assert empty["lines"][1]["models"] == [{"model_run_id": stored.model_id, "score": None, "logprobs": None}]
        assert web.post(url, json={"model_run_id": "f" * 32}).status_code == 404
        assert web.post(url, json={"model_run_id": stored.run_id}).json()["errors"][0]["field"] == "model_run_id"
        missing = f"/api/v1/candidate-sets/{stored.run_id}/questions/999999/tokens"
        assert web.post(missing, json={"model_run_id": stored.model_id}).status_code == 404
        asked = web.post(url, json={"model_run_id": stored.model_id})
        assert asked.status_code == 202
        again = web.post(url, json={"model_run_id": stored.model_id}).json()
        assert again["run_id"] == asked.json()["run_id"]
        assert again["reused"]
        waiting = web.get(url, params={"model": stored.model_id}).json()["pending"]
        assert [(one["model_run_id"], one["state"]) for one in waiting] == [(stored.model_id, "queued")]


def test_regrades_are_listed_with_their_flips(stored: Stored) -> None:
    url = f"/api/v1/candidate-sets/{stored.run_id}"
    with client() as web:
        asked = web.post(f"{url}/regrades").json()
        assert web.post(f"{url}/regrades").json() == {**asked, "reused": True}
        assert web.get(f"/api/v1/regrades/{asked['run_id']}/changes").status_code == 404
        with transaction() as session:
            session.add(
                Regrade(
                    run_id=asked["run_id"], candidates_run_id=stored.run_id, extractor_version=EXTRACTOR_VERSION,
                    n_candidates=4, n_changed=2, flips={"wrong>right": 1},
                )
            )  # fmt: skip
            session.flush()
            for candidate_id, verdict in zip(stored.ids[:2], ("right", "right"), strict=True):
                session.add(
                    RegradeChange(
                        run_id=asked["run_id"], candidate_id=candidate_id, answer="5", answer_start=3, answer_end=4,
                        answer_rule="boxed", verdict=verdict, verdict_before="right" if candidate_id == stored.ids[0]
                        else "wrong",
                    )
                )  # fmt: skip
        label(stored.ids[1])
        listed = web.get(f"{url}/labellings").json()
        assert listed["counts"] == {"right": 1, "wrong": 1, "unparsed": 1, "truncated": 1}
        assert listed["regrades"][0]["flips"] == {"wrong>right": 1}
        changes = web.get(f"/api/v1/regrades/{asked['run_id']}/changes", params={"limit": 1}).json()
        assert changes["next_after"] == str(stored.ids[0])
        flips = web.get(f"/api/v1/regrades/{asked['run_id']}/changes", params={"flip": "wrong>right"}).json()["items"]
        assert [row["candidate_id"] for row in flips] == [stored.ids[1]]
        assert (flips[0]["answer_before"], flips[0]["answer"], flips[0]["label"]) == ("-77", "5", "wrong")
        bad = web.get(f"/api/v1/regrades/{asked['run_id']}/changes", params={"flip": "right"})
        assert bad.json()["errors"][0]["field"] == "flip"
