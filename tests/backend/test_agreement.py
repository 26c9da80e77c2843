"""Agreement of a queue: statistics, confusion, disagreements, decisions, and what a blind reviewer may not see."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from backend.db.models import Rating
from backend.db.session import transaction
from backend.services.agreement import as_expected
from backend.services.review_values import beaten_shares
from tests.backend.client import client
from tests.backend.reviewing import (
    Sampled,
    judgement,
    make_queue,
    new_submission_id,
    reviewer,
    sample_set,
    submit,
    take,
)


@pytest.fixture
def sampled(data_directory: object) -> Sampled:
    return sample_set()


def review(name: str, queue_id: str, value: Any) -> None:
    """Review everything: ``value`` of an item's COT texts gives values, or tiers, by letter."""
    with reviewer(name) as web:
        while items := take(web, queue_id, 8):
            for item in items:
                given = value(item)
                field = "tiers" if item["mode"] in {"rank", "pair"} else "values"
                answer = submit(web, item, **{field: given})
                assert answer.status_code == 200, answer.text


def by_text(item: dict[str, Any], hostile: float, right: float, wrong: float) -> dict[str, float]:
    """A value by what the COT says; the third COT of a question is right too."""
    values = {}
    for one in item["candidates"]:
        text = one["text"]
        values[one["label"]] = hostile if "script" in text else wrong if "guess" in text else right
    return values


def base(queue: dict[str, Any]) -> str:
    return f"/api/v1/review-queues/{queue['id']}"


def rated_queue(web: TestClient, sampled: Sampled, **changes: Any) -> dict[str, Any]:
    """Three people rate four COTs of each of eight questions: Ann and Bob alike, Cy finds wrong ones good."""
    queue = make_queue(web, sampled, mode="rate", candidates_per_item=4, reviews_per_item=3, **changes)
    review("Ann", queue["id"], lambda item: by_text(item, 1, 9, 3))
    review("Bob", queue["id"], lambda item: by_text(item, 1, 8, 3))
    review("Cy", queue["id"], lambda item: by_text(item, 2, 8, 9))
    return queue


def test_people_and_the_judge_are_compared_with_intervals(sampled: Sampled) -> None:
    with reviewer("Owner") as web:
        queue = rated_queue(web, sampled)
        found = web.get(f"{base(queue)}/agreement").json()
    names = {one["key"]: one["name"] for one in found["raters"]}
    pairs = {frozenset((names[pair["one"]], names[pair["other"]])): pair for pair in found["pairs"]}
    close, far = pairs[frozenset(("Ann", "Bob"))], pairs[frozenset(("Ann", "Cy"))]
    assert close["n"] == far["n"] == 32
    assert close["exact"] == pytest.approx(0.5)
    assert close["bias"] == pytest.approx(-0.5)
    assert close["weighted_kappa"]["value"] > 0.9 > far["weighted_kappa"]["value"]
    assert close["tau"]["value"] == pytest.approx(1.0)
    assert far["alpha"]["low"] <= far["alpha"]["value"] <= far["alpha"]["high"]
    assert found["level"] == "interval"
    assert (found["n_cots"], found["n_judged_twice"]) == (32, 32)
    assert found["alpha_interval"]["n"] == found["fleiss"]["n"] == 32
    judges = {pair["other"]: pair for pair in found["against_people"]}
    assert judges["judge:oracle"]["tau"]["value"] > 0.7
    # The oracle's ratings and a mean of three are equal by accident only; the gold answer is on another scale.
    assert judges["judge:oracle"]["kappa"] is None
    assert judges["rule:gold answer"]["kappa"] is None


def test_one_reviewer_has_no_agreement_and_no_zero(sampled: Sampled) -> None:
    with reviewer("Owner") as web:
        queue = make_queue(web, sampled)
        review("Ann", queue["id"], lambda item: by_text(item, 0, 1, 0))
        found = web.get(f"{base(queue)}/agreement").json()
    nothing = {"value": None, "low": None, "high": None, "n": 0}
    assert found["alpha_nominal"] == found["fleiss"] == nothing
    assert found["pairs"] == []
    gold = next(pair for pair in found["against_people"] if pair["other"] == "rule:gold answer")
    assert gold["exact"] == 1.0


def test_an_empty_queue_has_an_answer(sampled: Sampled) -> None:
    with reviewer("Owner") as web:
        queue = make_queue(web, sampled, reviewer_ids=[], is_blind=False)
        found = web.get(f"{base(queue)}/agreement").json()
        assert (found["pairs"], found["against_people"], found["gold"]) == ([], [], [])
        assert web.get(f"{base(queue)}/disagreements").json()["items"] == []


def test_ranks_are_compared_within_their_item(sampled: Sampled) -> None:
    def order(item: dict[str, Any]) -> list[list[str]]:
        values = by_text(item, 0, 2, 1)
        return [[letter for letter, value in values.items() if value == level] for level in (2, 1, 0)]

    with reviewer("Owner") as web:
        queue = make_queue(web, sampled, mode="rank", reviews_per_item=2)
        review("Ann", queue["id"], order)
        review("Bob", queue["id"], lambda item: list(reversed(order(item))))
        found = web.get(f"{base(queue)}/agreement").json()
        (pair,) = found["pairs"]
        assert pair["tau"] == {"value": -1.0, "low": -1.0, "high": -1.0, "n": 48}
        assert pair["bias"] is None
        keys = {"one": pair["one"], "other": "judge:oracle"}
        table = web.get(f"{base(queue)}/agreement/confusion", params=keys).json()
        assert sum(map(sum, table["counts"])) == 32


def test_confusion_and_picture_count_every_cot_once(sampled: Sampled) -> None:
    with reviewer("Owner") as web:
        queue = rated_queue(web, sampled)
        keys = {"one": "people", "other": "judge:oracle"}
        table = web.get(f"{base(queue)}/agreement/confusion", params=keys).json()
        assert len(table["rows"]) == len(table["columns"]) == 10
        assert sum(map(sum, table["counts"])) == 32
        # People's mean of a wrong COT is 5, the oracle's rating 3.
        assert table["counts"][4][2] == 8
        figure = web.get(f"{base(queue)}/agreement/figure", params=keys).json()
        assert sum(row[2] for row in figure["rows"]) == 32
        assert figure["figure"]["data"][1]["customdata"].count(8) == len(figure["rows"])
        unknown = web.get(f"{base(queue)}/agreement/figure", params={"one": "people", "other": "judge:nobody"})
        assert unknown.status_code == 404
        assert "judge:nobody" in unknown.json()["detail"]


def test_disagreements_come_by_size_and_page_by_page(sampled: Sampled) -> None:
    with reviewer("Owner") as web:
        queue = rated_queue(web, sampled)
        first = web.get(f"{base(queue)}/disagreements", params={"limit": 5}).json()
        rest = web.get(f"{base(queue)}/disagreements", params={"limit": 5, "after": first["next_after"]}).json()
        assert (first["n"], len(first["items"]), len(rest["items"]), rest["next_after"]) == (8, 5, 3, None)
        assert len({item["item_id"] for item in first["items"] + rest["items"]}) == 8
        assert first["items"][0]["gap"] == pytest.approx(6 / 9)
        worst = max(first["items"][0]["cots"], key=lambda cot: cot["gap"])
        assert sorted(worst["values"].values()) == [1.0, 3.0, 3.0, 3.0, 9.0]  # gold answer, Ann, Bob, oracle, Cy
        judge = web.get(f"{base(queue)}/disagreements", params={"against": "judge:oracle"}).json()
        assert judge["items"][0]["gap"] == pytest.approx(2 / 9)
        assert web.get(f"{base(queue)}/disagreements", params={"after": "here"}).status_code == 422
        assert web.get(f"{base(queue)}/disagreements", params={"against": "judge:x"}).status_code == 404


def test_a_decision_counts_once_in_place_of_the_reviews_until_it_is_taken_back(sampled: Sampled) -> None:
    with reviewer("Owner") as web:
        queue = rated_queue(web, sampled)
        item = web.get(f"{base(queue)}/disagreements").json()["items"][0]
        url = f"{base(queue)}/decisions/{item['item_id']}"
        values = {str(cot["candidate_id"]): 10.0 for cot in item["cots"]}
        body = {"submission_id": new_submission_id(), "values": values, "note": "seen again"}
        for _ in range(2):
            assert web.put(url, json=body).json()["decision"]["by"] == "Owner"
        again = {"submission_id": new_submission_id(), "values": dict.fromkeys(values, 4.0)}
        assert web.put(url, json=again).status_code == 200
        with transaction() as session:
            rows = session.execute(
                select(Rating.value, Rating.is_current).where(Rating.source == "adjudication").order_by(Rating.id)
            ).all()
        assert rows == [(10.0, False)] * 4 + [(4.0, True)] * 4
        left = web.get(f"{base(queue)}/disagreements", params={"undecided": True}).json()
        assert (len(left["items"]), left["n"], left["n_decided"]) == (7, 8, 1)
        keys = {"one": "people", "other": "judge:oracle"}
        table = web.get(f"{base(queue)}/agreement/confusion", params=keys).json()
        assert sum(table["counts"][3]) == 4
        undo = {"submission_id": new_submission_id()}
        assert web.post(f"{url}/undo", json=undo).json()["decision"] is None
        assert web.post(f"{url}/undo", json=undo).status_code == 200
        with transaction() as session:
            current = select(Rating).where(Rating.source == "adjudication", Rating.is_current)
            assert session.scalars(current).all() == []
        assert web.post(f"{url}/undo", json={"submission_id": new_submission_id()}).status_code == 409


@pytest.mark.parametrize(
    ("mode", "body", "field"),
    [
        ("rate", {"values": {}}, "values"),
        ("rate", {"values": {"ids": 11.0}}, "values"),
        ("verify", {"values": {"ids": 0.7}}, "values"),
        ("rank", {"tiers": [[1, 2]]}, "tiers"),
    ],
)
def test_a_decision_off_the_scale_is_refused(sampled: Sampled, mode: str, body: dict[str, Any], field: str) -> None:
    with reviewer("Owner") as web:
        queue = make_queue(web, sampled, mode=mode, is_blind=False, source={"n": 1})
        item = take(web, queue["id"])[0]
        ids = [str(one["known"]["candidate_id"]) for one in item["candidates"]]
        if "ids" in body.get("values", {}):
            body = {"values": dict.fromkeys(ids, body["values"]["ids"])}
        sent = {"submission_id": new_submission_id(), **body}
        answer = web.put(f"{base(queue)}/decisions/{item['id']}", json=sent)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field
        other = make_queue(web, sampled, mode=mode, is_blind=False, source={"n": 1})
        assert web.put(f"{base(other)}/decisions/{item['id']}", json=sent).status_code == 404


def test_a_blind_reviewer_sees_no_agreement_before_the_last_item(sampled: Sampled) -> None:
    with reviewer("Ann") as ann, reviewer("Bob") as bob:
        queue = make_queue(ann, sampled, reviews_per_item=2)
        items = take(bob, queue["id"], 8)
        for item in items:
            submit(bob, item)
        addresses = ["agreement", "disagreements", "agreement/confusion?one=people&other=rule:gold answer"]
        addresses.append("agreement/figure?one=people&other=rule:gold answer")
        for address in addresses:
            refused = ann.get(f"{base(queue)}/{address}")
            assert refused.status_code == 403
            assert "8 of its items left" in refused.json()["detail"]
            assert bob.get(f"{base(queue)}/{address}").status_code == 200
        body = {"submission_id": new_submission_id(), "values": {"1": 1.0}}
        assert ann.put(f"{base(queue)}/decisions/{items[0]['id']}", json=body).status_code == 403
        assert ann.patch(base(queue), json={"state": "closed"}).status_code == 200
        assert ann.get(f"{base(queue)}/agreement").status_code == 200


def test_drift_shows_on_gold_items(sampled: Sampled) -> None:
    source = {"strategy": "random", "n": 8}
    with client() as nobody, reviewer("Ann") as ann:
        queue = make_queue(nobody, sampled, mode="verify", reviews_per_item=2, gold_items=8, source=source)
        for number, item in enumerate(take(ann, queue["id"], 8)):
            text = item["candidates"][0]["text"]
            is_right = "guess" not in text and "script" not in text
            value = float(is_right if number < 4 else not is_right)
            submit(ann, item, values=dict.fromkeys(judgement(item)["values"], value))
        (gold,) = nobody.get(f"{base(queue)}/agreement").json()["gold"]
    assert (gold["name"], gold["n"], gold["agreed"], gold["early"], gold["late"]) == ("Ann", 8, 0.5, 1.0, 0.0)


def test_a_gold_ranking_is_met_by_the_order_of_its_pairs() -> None:
    gold = {"1": 9.0, "2": 3.0, "3": 9.0}
    assert as_expected("rank", gold, {"1": 1.0, "2": 0.0, "3": 0.5})
    assert not as_expected("rank", gold, {"1": 0.5, "2": 0.5, "3": 1.0})
    assert as_expected("rate", gold, {"1": 10.0, "2": 2.0, "3": 8.0})
    assert not as_expected("rate", gold, {"1": 7.0, "2": 2.0, "3": 8.0})


def test_shares_beaten_count_ties_half() -> None:
    assert beaten_shares({1: 9.0, 2: 3.0, 3: 3.0}) == {1: 1.0, 2: 0.25, 3: 0.25}
    assert beaten_shares({1: 9.0}) == {1: 0.5}
