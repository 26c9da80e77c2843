"""A blind queue: what it hides is in no answer that a reviewer gets."""

import json

import pytest
from sqlalchemy import select

from backend.db.models import Candidate, Example
from backend.db.session import transaction
from scripts.drift import OPENAPI
from tests.backend.reviewing import (
    MODEL_NAME,
    Sampled,
    make_queue,
    new_submission_id,
    reviewer,
    sample_set,
    submit,
    take,
)

REVIEWER_FIELDS = {
    "id", "queue_id", "mode", "task", "state", "question", "choices", "reference", "gold_answer", "candidates",
    "lease_expires_at", "review",
}  # fmt: skip


@pytest.fixture
def sampled(data_directory: object) -> Sampled:
    return sample_set()


@pytest.mark.parametrize("mode", ["verify", "rate", "rank", "pair"])
def test_no_answer_of_a_blind_queue_holds_what_it_hides(sampled: Sampled, mode: str) -> None:
    gold = {"gold_items": 1, **({"gold_rater": "oracle"} if mode == "rate" else {})}
    source = {"strategy": "uncertainty", "model_run_id": sampled.model_id}
    with reviewer("Other-Person") as other, reviewer("Ann") as ann:
        queue = make_queue(other, sampled, mode=mode, reviews_per_item=5, source=source, **gold)
        for item in take(other, queue["id"], 8):
            submit(other, item, note="SECRET-NOTE")
        answers = []
        base = f"/api/v1/review-queues/{queue['id']}"
        answers.append(ann.get("/api/v1/review-queues").text)
        answers.append(ann.get(base).text)
        items = take(ann, queue["id"], 8)
        answers.append(json.dumps(items))
        for item in items[:-1]:
            answers.append(submit(ann, item).text)
            answers.append(ann.get(f"/api/v1/review-items/{item['id']}").text)
        undo = {"submission_id": new_submission_id()}
        answers.append(ann.post(f"/api/v1/review-items/{items[0]['id']}/undo", json=undo).text)
        answers.append(ann.post(f"{base}/leases", json={"item_ids": [items[-1]["id"]]}).text)
        answers.append(ann.get(f"{base}/history").text)
        answers.append(ann.post(f"{base}/next", json={"count": 1}).text)
        with transaction() as session:
            references = list(session.scalars(select(Example.reference).where(Example.id.in_(sampled.example_ids))))
            secrets = [MODEL_NAME, "SECRET", "Other-Person", "oracle", sampled.run_id, sampled.model_id, "uncertainty"]
            secrets += ["verdict", "score", "is_gold", "extractor", "sample_index", "candidate_id", "right", "wrong"]
            for text in answers:
                plain = text.replace('"reviewers"', "")
                assert [word for word in secrets if word in plain] == []
                assert [one for one in references if json.dumps(one)[1:-1] in text] == []
            for item in items:
                assert item.keys() == REVIEWER_FIELDS
                assert item["gold_answer"] is None
                assert item["reference"] is None
                assert {tuple(sorted(one)) for one in item["candidates"]} == {
                    ("known", "label", "text", "text_truncated")
                }
                assert {one["known"] for one in item["candidates"]} == {None}


def test_every_address_that_takes_a_queue_keeps_it_blind(sampled: Sampled) -> None:
    """All GET addresses of the API that know a queue, found by themselves, so that a new one is read here too."""
    with reviewer("Other-Person") as other, reviewer("Ann") as ann:
        queue = make_queue(other, sampled, mode="verify", reviews_per_item=5, gold_items=1)
        for item in take(other, queue["id"], 8):
            submit(other, item, note="SECRET-NOTE")
        take(ann, queue["id"], 2)
        described = json.loads(OPENAPI.read_text(encoding="utf-8"))["paths"]
        addresses = []
        for path, methods in described.items():
            parameters = {one["name"]: one for one in methods.get("get", {}).get("parameters", [])}
            if "queue_id" not in parameters or set(_in_path(path)) - {"queue_id"}:
                continue
            query = "" if "{queue_id}" in path else f"?queue_id={queue['id']}"
            query += "".join(
                f"{'&' if query else '?'}{name}=people"
                for name, one in parameters.items()
                if one.get("required") and one["in"] == "query"
            ).replace("?other", "&other")
            addresses.append(path.replace("{queue_id}", queue["id"]) + query)
        assert len(addresses) >= 8
        for address in addresses:
            answer = ann.get(address)
            assert answer.status_code in {200, 403}, (address, answer.text)
            for word in ("SECRET", "Other-Person", "oracle", sampled.run_id):
                assert word not in answer.text, address
        tried = ann.post("/api/v1/judges/main/test", json={"queue_id": queue["id"]})
        assert tried.status_code == 403


def _in_path(path: str) -> list[str]:
    return [part.strip("{}") for part in path.split("/") if part.startswith("{")]


def test_letters_stand_for_other_candidates_with_each_reviewer(sampled: Sampled) -> None:
    orders = set()
    for number in range(6):
        with reviewer(f"person {number}") as web:
            if number == 0:
                queue = make_queue(web, sampled, mode="rank", reviews_per_item=6, source={"n": 1})
            item = take(web, queue["id"])[0]
            again = web.get(f"/api/v1/review-items/{item['id']}").json()
            assert again["candidates"] == item["candidates"]
            orders.add(tuple(one["text"] for one in item["candidates"]))
    assert len(orders) > 1


def test_an_open_queue_shows_what_is_known(sampled: Sampled) -> None:
    with reviewer("Ann") as web:
        queue = make_queue(web, sampled, is_blind=False, mode="rank", source={"n": 1})
        item = take(web, queue["id"])[0]
    assert item["gold_answer"]
    assert item["reference"]
    known = item["candidates"][0]["known"]
    assert known["scores"][0]["model"].startswith(MODEL_NAME)
    assert known["ratings"][0]["rater"] == "oracle"


def test_a_reference_is_shown_only_where_the_queue_says_so(sampled: Sampled) -> None:
    with reviewer("Ann") as web:
        queue = make_queue(web, sampled, shows_reference=True)
        item = take(web, queue["id"])[0]
    assert item["reference"]
    assert item["gold_answer"] is None


def test_hostile_text_stays_text_and_a_huge_one_is_cut(sampled: Sampled) -> None:
    with transaction() as session:
        row = session.scalars(select(Candidate).where(Candidate.sample_index == 0)).first()
        assert row is not None
        row.text = "x" * 5_000_000
        ids = [row.id]
        hostile = select(Candidate.id).where(Candidate.sample_index == 3, Candidate.example_id == row.example_id)
        ids += session.scalars(hostile).all()
    with reviewer("<b>Ann</b>") as web:
        source = {"strategy": "selection", "candidate_ids": ids}
        name = "<img src=x onerror=alert(1)>"
        queue = make_queue(web, sampled, name=name, guidelines="# <script>", mode="pair", source=source)
        assert (queue["name"], queue["guidelines"]) == (name, "# <script>")
        item = take(web, queue["id"])[0]
        texts = {one["text_truncated"]: one["text"] for one in item["candidates"]}
        assert len(texts[True]) == 20_000
        assert texts[False].startswith("<script>")
        assert "\x00" not in texts[False]
        assert submit(web, item, note="\u0000<script>").status_code == 200
