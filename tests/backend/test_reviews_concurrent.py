"""Twenty reviewers at one queue at once: nothing lost, nothing doubled."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from backend.app import create_app
from backend.db.models import Rating, Review, ReviewItem
from backend.db.session import transaction
from backend.settings import get_settings
from tests.backend.client import ORIGIN, client
from tests.backend.reviewing import Sampled, judgement, make_queue, sample_set, sit_down, take

REVIEWERS = 20
PER_ITEM = 3


@pytest.fixture
def sampled(database: str) -> Sampled:
    return sample_set(questions=12)


def test_twenty_reviewers_lose_and_double_nothing(sampled: Sampled) -> None:
    with client() as web:
        queue = make_queue(web, sampled, reviews_per_item=PER_ITEM)
    app = create_app(get_settings().model_copy(update={"require_login": False}))
    start = Barrier(REVIEWERS)

    def work(number: int) -> list[str]:
        web = TestClient(app, base_url=ORIGIN, headers={"Origin": ORIGIN})
        sit_down(web, f"reviewer {number}")
        start.wait(timeout=60)
        confirmed: list[str] = []
        while True:
            items = take(web, queue["id"], 2)
            if not items:
                return confirmed
            for item in items:
                body = judgement(item)
                url = f"/api/v1/review-items/{item['id']}/reviews"
                # Every second answer is lost on its way, and the page sends the same again.
                for _ in range(1 + number % 2):
                    answer = web.post(url, json=body)
                    assert answer.status_code == 200, answer.text
                confirmed.append(body["submission_id"])

    with ThreadPoolExecutor(REVIEWERS) as pool:
        confirmed = [one for done in pool.map(work, range(REVIEWERS)) for one in done]

    with transaction() as session:
        stored = session.scalars(select(Review.submission_id)).all()
        assert sorted(stored) == sorted(confirmed)
        per_item = Counter(session.scalars(select(Review.item_id)).all())
        assert set(per_item.values()) == {PER_ITEM}
        assert len(per_item) == 12
        assert len(session.execute(select(Review.item_id, Review.person_id).distinct()).all()) == 12 * PER_ITEM
        assert {(item.n_done, item.is_open) for item in session.scalars(select(ReviewItem))} == {(PER_ITEM, False)}
        assert len(session.scalars(select(Rating).where(Rating.source == "person")).all()) == 12 * PER_ITEM
