"""Review queues: handed out, judged exactly once, taken back."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from backend.db.models import Candidate, Rating, Review, ReviewItem, ReviewSlot, utcnow
from backend.db.session import transaction
from backend.errors import Invalid
from backend.services import people, scores
from backend.services.review_values import ranked
from backend.services.scores import ScoredRow
from tests.backend.client import client
from tests.backend.reviewing import (
    Sampled,
    judgement,
    make_queue,
    new_submission_id,
    queue_body,
    reviewer,
    sample_set,
    submit,
    take,
)


@pytest.fixture
def sampled(database: str) -> Sampled:
    return sample_set()


@pytest.fixture
def on_sqlite(data_directory: object) -> Sampled:
    return sample_set()


def expire_leases() -> None:
    with transaction() as session:
        for slot in session.scalars(select(ReviewSlot).where(ReviewSlot.state == "leased")):
            slot.lease_expires_at = utcnow() - timedelta(seconds=1)


def test_a_review_becomes_a_rating_with_its_rater_scale_and_time(sampled: Sampled) -> None:
    with reviewer("Ann") as web:
        queue = make_queue(web, sampled, mode="rate", candidates_per_item=2)
        item = take(web, queue["id"])[0]
        answer = submit(web, item, values={"A": 9, "B": 2}, steps={"B": [[0, 5]]}, note="slips early")
        assert answer.status_code == 200, answer.text
        assert answer.json()["progress"]["mine_done"] == 1
    with transaction() as session:
        rows = session.scalars(select(Rating).where(Rating.source == "person").order_by(Rating.value)).all()
        assert [row.value for row in rows] == [2.0, 9.0]
        assert {(row.rater, row.scale, row.seconds, row.is_current) for row in rows} == {("Ann", "1-10", 2.5, True)}
        assert rows[0].evidence == {"wrong_steps": [[0, 5]], "note": "slips early"}


def test_the_same_submission_is_stored_once(sampled: Sampled) -> None:
    with reviewer("Ann") as web:
        queue = make_queue(web, sampled)
        item = take(web, queue["id"])[0]
        body = judgement(item)
        url = f"/api/v1/review-items/{item['id']}/reviews"
        first, second = web.post(url, json=body), web.post(url, json=body)
        assert (first.status_code, second.status_code) == (200, 200)
        assert first.json()["revision"] == second.json()["revision"] == 1
        other = take(web, queue["id"])[0]
        reused = web.post(f"/api/v1/review-items/{other['id']}/reviews", json=body)
        assert reused.status_code == 409
    with transaction() as session:
        assert session.scalar(select(func.count()).select_from(Review)) == 1


def test_an_item_is_never_held_by_more_people_than_reviews_are_asked_for(sampled: Sampled) -> None:
    with reviewer("Ann") as ann, reviewer("Ben") as ben, reviewer("Cid") as cid:
        queue = make_queue(ann, sampled, reviews_per_item=2, source={"n": 1})
        item = take(ann, queue["id"])[0]
        assert [one["id"] for one in take(ben, queue["id"])] == [item["id"]]
        assert take(cid, queue["id"]) == []
        expire_leases()
        assert [one["id"] for one in take(cid, queue["id"])] == [item["id"]]
        # Ann's place is free still, for Ben's lease ended too.
        assert submit(ann, item).status_code == 200
        assert submit(cid, item).status_code == 200
        refused = submit(ben, item)
        assert refused.status_code == 409
        assert "not counted" in refused.json()["remedy"]


def test_a_lease_is_renewed_while_its_holder_is_at_work(on_sqlite: Sampled) -> None:
    with reviewer("Ann") as ann, reviewer("Ben") as ben:
        queue = make_queue(ann, on_sqlite, source={"n": 1})
        item = take(ann, queue["id"])[0]
        expire_leases()
        url = f"/api/v1/review-queues/{queue['id']}/leases"
        assert ann.post(url, json={"item_ids": [item["id"]]}).json() == {"held": [item["id"]], "lost": []}
        assert take(ben, queue["id"]) == []
        expire_leases()
        assert len(take(ben, queue["id"])) == 1
        assert ann.post(url, json={"item_ids": [item["id"]]}).json() == {"held": [], "lost": [item["id"]]}


def test_skipping_frees_the_place_and_keeps_the_reason(on_sqlite: Sampled) -> None:
    with reviewer("Ann") as ann, reviewer("Ben") as ben:
        queue = make_queue(ann, on_sqlite, source={"n": 1})
        item = take(ann, queue["id"])[0]
        assert submit(ann, item, action="skip", values={}, reason="unclear question").status_code == 200
        assert take(ann, queue["id"]) == []
        assert len(take(ben, queue["id"])) == 1
    with transaction() as session:
        assert session.scalars(select(Review.reason)).all() == ["unclear question"]
        assert session.scalars(select(Rating).where(Rating.source == "person")).all() == []


def test_undo_is_a_new_revision_and_gives_the_item_back(sampled: Sampled) -> None:
    with reviewer("Ann") as web:
        queue = make_queue(web, sampled, source={"n": 1})
        item = take(web, queue["id"])[0]
        submit(web, item, values={"A": 0.0}, note="no")
        body = {"submission_id": new_submission_id()}
        undone = web.post(f"/api/v1/review-items/{item['id']}/undo", json=body)
        assert undone.status_code == 200, undone.text
        assert undone.json()["item"]["review"]["values"] == {"A": 0.0}
        assert undone.json()["item"]["state"] == "leased"
        assert undone.json()["progress"]["reviews_done"] == 0
        assert web.post(f"/api/v1/review-items/{item['id']}/undo", json=body).status_code == 200
        assert submit(web, item, values={"A": 1.0}).json()["revision"] == 3
    with transaction() as session:
        assert session.scalars(select(Review.action).order_by(Review.id)).all() == ["submit", "undo", "submit"]
        rated = session.execute(select(Rating.value, Rating.is_current).where(Rating.source == "person")).all()
        assert sorted(rated) == [(0.0, False), (1.0, True)]
        assert session.scalars(select(ReviewItem.n_done)).all() == [1]


def test_a_ranking_is_stored_as_the_share_of_others_beaten(on_sqlite: Sampled) -> None:
    with reviewer("Ann") as web:
        queue = make_queue(web, on_sqlite, mode="rank", source={"n": 1})
        item = take(web, queue["id"])[0]
        assert submit(web, item, tiers=[["C"], ["A", "D"], ["B"]]).status_code == 200
        again = web.get(f"/api/v1/review-items/{item['id']}").json()
        assert again["review"]["values"] == {"C": 1.0, "A": 0.5, "D": 0.5, "B": 0.0}


def test_ranked_gives_ties_the_same_share() -> None:
    assert ranked([["A", "B"]]) == {"A": 0.5, "B": 0.5}
    assert ranked([["B"], ["A"]]) == {"B": 1.0, "A": 0.0}
    with pytest.raises(Invalid, match="twice"):
        ranked([["A"], ["A", "B"]])


@pytest.mark.parametrize(
    ("mode", "changes"),
    [
        ("verify", {"values": {"A": 0.3}}),
        ("verify", {"values": {}}),
        ("verify", {"values": {"A": 1, "P": 1}}),
        ("rate", {"values": {"A": 11, "B": 3, "C": 3, "D": 3}}),
        ("rate", {"values": {"A": 2.5, "B": 3, "C": 3, "D": 3}}),
        ("rank", {"tiers": [["A"]]}),
        ("rank", {"tiers": [["A", "A"], ["B"], ["C"], ["D"]]}),
        ("pair", {"tiers": []}),
        ("verify", {"values": {"A": 1}, "steps": {"A": [[5, 2]]}}),
        ("verify", {"values": {"<b>": 1}}),
    ],
)
def test_a_judgement_that_does_not_fit_is_refused(on_sqlite: Sampled, mode: str, changes: dict[str, object]) -> None:
    with reviewer("Ann") as web:
        queue = make_queue(web, on_sqlite, mode=mode)
        item = take(web, queue["id"])[0]
        answer = submit(web, item, **changes)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"]
        assert web.get(f"/api/v1/review-items/{item['id']}").json()["review"] is None


def test_the_worst_violated_pair_comes_as_a_pair(on_sqlite: Sampled) -> None:
    with reviewer("Ann") as web:
        source = {"strategy": "violated-pair", "model_run_id": on_sqlite.model_id, "n": 3}
        queue = make_queue(web, on_sqlite, mode="pair", source=source)
        assert queue["progress"]["n_items"] == 3
        with transaction() as session:
            items = session.scalars(select(ReviewItem)).all()
            assert on_sqlite.example_ids[0] in {item.example_id for item in items}
            for item in items:
                verdicts = {session.get_one(Candidate, one).verdict for one in item.candidate_ids}
                assert verdicts == {"right", "wrong"}


def test_strategies_say_what_they_lack(on_sqlite: Sampled) -> None:
    with client() as web:
        for source in (
            {"strategy": "violated-pair"},
            {"strategy": "uncertainty", "model_run_id": on_sqlite.run_id},
            {"strategy": "judge-against-people"},
        ):
            body = queue_body(on_sqlite, mode="pair", source=source)
            answer = web.post("/api/v1/review-queues/preview", json=body)
            assert answer.status_code == 422, source
            assert answer.json()["errors"][0]["field"].startswith("source")
        missing = web.post("/api/v1/review-queues/preview", json=queue_body(on_sqlite, source={"run_id": "0" * 32}))
        assert missing.status_code == 404
        gold = web.post("/api/v1/review-queues/preview", json=queue_body(on_sqlite, gold_items=99))
        assert gold.json()["errors"][0]["field"] == "gold_items"


def test_uncertainty_asks_about_the_closest_pairs(on_sqlite: Sampled) -> None:
    with transaction() as session:
        ids = {
            (row.example_id, row.sample_index): row.id
            for row in session.scalars(select(Candidate).where(Candidate.run_id == on_sqlite.run_id))
        }
        # Whatever the verdicts: the second question's right one and a wrong one are nearly equal.
        near = {ids[on_sqlite.example_ids[1], 0]: -0.5, ids[on_sqlite.example_ids[1], 1]: -0.5001}
        far = {one: -5.0 - one for place, one in ids.items() if one not in near and place[1] in {1, 3}}
        rows = [ScoredRow(one, value, 2) for one, value in {**far, **near}.items()]
        scores.record(session, model_run_id=on_sqlite.model_id, by_run_id=on_sqlite.run_id, rows=rows)
    with reviewer("Ann") as web:
        source = {"strategy": "uncertainty", "model_run_id": on_sqlite.model_id, "n": 1}
        make_queue(web, on_sqlite, mode="pair", source=source)
    with transaction() as session:
        item = session.scalars(select(ReviewItem)).one()
        assert set(item.candidate_ids) == set(near)


def test_judge_against_people_asks_about_the_widest_gap(on_sqlite: Sampled) -> None:
    with reviewer("Ann") as web:
        rated = make_queue(web, on_sqlite, mode="rate", candidates_per_item=4, source={"n": 2})
        for item in take(web, rated["id"], 2):
            submit(web, item, values=dict.fromkeys("ABCD", 10.0))
        source = {"strategy": "judge-against-people", "n": 1}
        make_queue(web, on_sqlite, candidates_per_item=1, source=source, name="gaps")
    with transaction() as session:
        newest = session.scalars(select(ReviewItem).order_by(ReviewItem.id.desc())).first()
        assert newest is not None
        assert session.get_one(Candidate, newest.candidate_ids[0]).sample_index == 3


def test_a_selection_becomes_items_of_its_questions(on_sqlite: Sampled) -> None:
    with transaction() as session:
        ids = list(session.scalars(select(Candidate.id).where(Candidate.example_id == on_sqlite.example_ids[0])))
    with client() as web:
        source = {"strategy": "selection", "candidate_ids": ids}
        assert make_queue(web, on_sqlite, source=source)["progress"]["n_items"] == 4
        stranger = queue_body(on_sqlite, source={"strategy": "selection", "candidate_ids": [10**9]})
        assert web.post("/api/v1/review-queues", json=stranger).status_code == 422


def test_creating_twice_creates_once(on_sqlite: Sampled) -> None:
    with client() as web:
        request_id = new_submission_id()
        first = make_queue(web, on_sqlite, request_id=request_id)
        assert make_queue(web, on_sqlite, request_id=request_id)["id"] == first["id"]
        assert len(web.get("/api/v1/review-queues").json()["queues"]) == 1


def test_gold_items_reach_every_reviewer(on_sqlite: Sampled) -> None:
    with reviewer("Ann") as ann, reviewer("Ben") as ben:
        queue = make_queue(ann, on_sqlite, gold_items=2)
        for item in take(ann, queue["id"], 8):
            assert submit(ann, item).status_code == 200
        assert len(take(ben, queue["id"], 8)) == 2


def test_only_named_reviewers_of_an_open_queue_may_review(on_sqlite: Sampled) -> None:
    with reviewer("Ann") as ann, reviewer("Ben") as ben, client() as nobody:
        me = ann.get("/api/v1/reviewer").json()["person"]["id"]
        queue = make_queue(ann, on_sqlite, reviewer_ids=[me])
        assert len(take(ann, queue["id"])) == 1
        url = f"/api/v1/review-queues/{queue['id']}/next"
        assert ben.post(url, json={}).status_code == 403
        assert nobody.post(url, json={}).status_code == 409
        assert ann.patch(f"/api/v1/review-queues/{queue['id']}", json={"state": "closed"}).json()["state"] == "closed"
        assert ann.post(url, json={}).status_code == 409


def test_a_name_is_one_person_whatever_its_case(on_sqlite: Sampled) -> None:
    with reviewer("Ann Li") as one, reviewer("  ann\u202e li ") as two:
        first, second = (web.get("/api/v1/reviewer").json()["person"]["id"] for web in (one, two))
        assert first == second
        assert one.put("/api/v1/reviewer", json={"name": "\u202e\u0000 "}).status_code == 422
        assert one.delete("/api/v1/reviewer").json() == {"person": None}
        assert one.get("/api/v1/reviewer").json() == {"person": None}
    with pytest.raises(Invalid, match="empty"):
        people.clean_name("\u200b")


def test_an_item_is_shown_only_to_whom_it_was_handed(on_sqlite: Sampled) -> None:
    with reviewer("Ann") as ann, reviewer("Ben") as ben:
        queue = make_queue(ann, on_sqlite)
        item = take(ann, queue["id"])[0]
        assert ann.get(f"/api/v1/review-items/{item['id']}").status_code == 200
        assert ben.get(f"/api/v1/review-items/{item['id']}").status_code == 404
        assert ann.get("/api/v1/review-items/999999").status_code == 404
