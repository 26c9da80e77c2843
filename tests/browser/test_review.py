"""Reviewing in a real browser, by keyboard alone."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from backend.db.migrate import upgrade
from backend.db.models import Candidate, Rating, Review, ReviewItem
from backend.db.session import get_engine, reset_engines, transaction
from backend.services import scores, tokens
from backend.services.scores import ScoredRow
from tests.backend.reviewing import Sampled, queue_body, sample_set
from tests.browser.served import served
from tests.waiting import wait_until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Sampled]]:
    """A server of its own with COTs to review; this process looks into the same database."""
    directory = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFT_DATA_DIR", str(directory))
        reset_engines()
        upgrade()
        sampled = sample_set()
        with served(directory) as address:
            yield address, sampled
        get_engine().dispose()
    reset_engines()


def new_queue(server: tuple[str, Sampled], **changes: Any) -> str:
    """A queue made through the API; gives its id."""
    url, sampled = server
    made = httpx.post(f"{url}/api/v1/review-queues", json=queue_body(sampled, **changes))
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def sit_down(server: tuple[str, Sampled], browser: Browser, name: str, queue_id: str) -> tuple[BrowserContext, Page]:
    """A browser of somebody's own, at work in a queue."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server[0]}/review/{queue_id}/session")
    page.get_by_label("Your name").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Question")).to_be_focused(timeout=30_000)
    return context, page


def saved(page: Page, done: int) -> None:
    """The page shows so many items done, and the server has confirmed them."""
    expect(page.get_by_role("progressbar", name="My progress")).to_have_attribute("aria-valuenow", str(done))
    expect(page.get_by_test_id("saved")).to_have_text("Saved", timeout=20_000)


def values(queue_id: str) -> list[tuple[str, float]]:
    """Ratings that count, with their raters, in the order they came."""
    with transaction() as session:
        query = (
            select(Rating.rater, Rating.value)
            .join(Review, Review.id == Rating.review_id)
            .where(Review.queue_id == queue_id, Rating.is_current)
            .order_by(Rating.id)
        )
        return [(row.rater, row.value) for row in session.execute(query)]


def test_verifying_by_keys_alone_with_a_note_a_flag_and_a_skip(server: tuple[str, Sampled], browser: Browser) -> None:
    queue_id = new_queue(server, source={"n": 4})
    context, page = sit_down(server, browser, "Vera", queue_id)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="COT A is not judged yet.")).to_have_count(1)
    page.keyboard.press("y")
    page.keyboard.press("Enter")
    saved(page, 1)
    page.keyboard.press("n")
    page.keyboard.press("f")
    page.keyboard.press("m")
    page.keyboard.type("guessed y n Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    saved(page, 2)
    page.keyboard.press("s")
    expect(page.get_by_role("dialog", name="Skip this item")).to_be_visible()
    page.keyboard.press("2")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("u")
    page.keyboard.press("Enter")
    saved(page, 3)
    expect(page.get_by_role("heading", name="Nothing left for you here")).to_be_visible()
    assert [value for _, value in values(queue_id)] == [1.0, 0.0, 0.5]
    with transaction() as session:
        rows = session.scalars(select(Review).where(Review.queue_id == queue_id).order_by(Review.id)).all()
        assert [row.action for row in rows] == ["submit", "submit", "skip", "submit"]
        assert (rows[1].note, rows[1].is_flagged, rows[2].reason) == ("guessed y n Enter", True, "I cannot judge this")
    context.close()


def test_rating_by_keys_alone_with_wrong_steps(server: tuple[str, Sampled], browser: Browser) -> None:
    queue_id = new_queue(server, mode="rate", candidates_per_item=3, source={"n": 1})
    context, page = sit_down(server, browser, "Rita", queue_id)
    page.keyboard.press("7")
    page.keyboard.press("b")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    expect(page.get_by_role("article", name="COT B")).to_contain_text("9 / 10")
    page.keyboard.press("c")
    page.keyboard.press("0")
    page.keyboard.press("Enter")
    saved(page, 1)
    assert sorted(value for _, value in values(queue_id)) == [7.0, 9.0, 10.0]
    with transaction() as session:
        row = session.scalars(select(Review).where(Review.queue_id == queue_id)).one()
        assert [len(spans) for spans in row.steps.values()] == [1]
    context.close()


def test_ranking_by_keys_alone_with_a_tie(server: tuple[str, Sampled], browser: Browser) -> None:
    queue_id = new_queue(server, mode="rank", candidates_per_item=3, source={"n": 1})
    context, page = sit_down(server, browser, "Ron", queue_id)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="The order shown is arbitrary")).to_have_count(1)
    page.keyboard.press("c")
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("b")
    page.keyboard.press("=")
    expect(page.get_by_role("region", name="Ranking, best first").get_by_role("listitem")).to_have_text(["1C", "2AB"])
    page.keyboard.press("Enter")
    saved(page, 1)
    assert sorted(value for _, value in values(queue_id)) == [0.25, 0.25, 1.0]
    context.close()


def test_preferring_by_keys_alone(server: tuple[str, Sampled], browser: Browser) -> None:
    queue_id = new_queue(server, mode="pair", source={"n": 3})
    context, page = sit_down(server, browser, "Pia", queue_id)
    for done, key in enumerate(("ArrowLeft", "ArrowRight", "ArrowDown"), start=1):
        page.keyboard.press(key)
        page.keyboard.press("Enter")
        saved(page, done)
    assert sorted(value for _, value in values(queue_id)) == [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]
    context.close()


def test_a_dropped_connection_loses_and_doubles_nothing(server: tuple[str, Sampled], browser: Browser) -> None:
    queue_id = new_queue(server, source={"n": 5})
    context, page = sit_down(server, browser, "Otto", queue_id)
    page.keyboard.press("y")
    page.keyboard.press("Enter")
    saved(page, 1)
    # The request arrives, and its answer is lost: the page cannot know.
    lost: list[str] = []

    def lose_answer(route: Any) -> None:
        if lost:
            route.continue_()
            return
        route.fetch()
        lost.append(route.request.url)
        route.abort("connectionreset")

    page.route(re.compile("/reviews$"), lose_answer)
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    wait_until(lambda: page.evaluate("1") and lost, "an answer is lost")
    saved(page, 2)
    context.set_offline(True)
    page.keyboard.press("y")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("saved")).to_contain_text("Offline")
    page.keyboard.press("u")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("saved")).to_contain_text("2 kept here")
    context.set_offline(False)
    saved(page, 4)
    assert [value for _, value in values(queue_id)] == [1.0, 0.0, 1.0, 0.5]
    with transaction() as session:
        assert len(session.scalars(select(Review).where(Review.queue_id == queue_id)).all()) == 4
    context.close()


def test_what_was_sent_offline_survives_a_closed_tab(server: tuple[str, Sampled], browser: Browser) -> None:
    queue_id = new_queue(server, source={"n": 3})
    context, page = sit_down(server, browser, "Tom", queue_id)
    page.route(re.compile("/reviews$"), lambda route: route.abort("connectionreset"))
    page.keyboard.press("y")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("saved")).to_contain_text(re.compile("kept here|Saving 1"))
    page.keyboard.press("n")
    page.close()
    page = context.new_page()
    page.goto(f"{server[0]}/review/{queue_id}/session")
    wait_until(lambda: page.evaluate("1") and values(queue_id) == [("Tom", 1.0)], "the review arrived")
    # The judgement that was not sent is still in the making.
    expect(page.get_by_role("button", name="COT A is wrong", exact=True)).to_have_attribute("aria-pressed", "true")
    context.close()


def test_undo_gives_the_item_back_with_what_was_said(server: tuple[str, Sampled], browser: Browser) -> None:
    queue_id = new_queue(server, source={"n": 2})
    context, page = sit_down(server, browser, "Una", queue_id)
    page.keyboard.press("y")
    page.keyboard.press("Enter")
    saved(page, 1)
    page.keyboard.press("Control+z")
    saved(page, 0)
    expect(page.get_by_role("button", name="COT A is right")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    saved(page, 1)
    assert values(queue_id) == [("Una", 0.0)]
    page.keyboard.press("[")
    expect(page.get_by_text("Submitted before")).to_be_visible()
    page.keyboard.press("u")
    page.keyboard.press("Enter")
    saved(page, 1)
    wait_until(lambda: values(queue_id) == [("Una", 0.5)], "the new revision counts")
    context.close()


def test_two_reviewers_at_once_never_get_the_same_place(server: tuple[str, Sampled], browser: Browser) -> None:
    queue_id = new_queue(server, source={"n": 6})
    one_context, one = sit_down(server, browser, "Ida", queue_id)
    two_context, two = sit_down(server, browser, "Udo", queue_id)
    ended = [False, False]
    for _ in range(6):
        for index, page in enumerate((one, two)):
            finished = page.get_by_role("heading", name="Nothing left for you here")
            heading = page.get_by_role("heading", name="Question").or_(finished)
            expect(heading).to_be_visible()
            if ended[index] or finished.is_visible():
                ended[index] = True
                continue
            page.keyboard.press("y")
            page.keyboard.press("Enter")
            expect(page.get_by_test_id("saved")).to_have_text("Saved", timeout=20_000)
    with transaction() as session:
        items = session.scalars(select(ReviewItem).where(ReviewItem.queue_id == queue_id)).all()
        assert [item.n_done for item in items] == [1] * 6
    assert {rater for rater, _ in values(queue_id)} == {"Ida", "Udo"}
    one_context.close()
    two_context.close()


def store_tokens(sampled: Sampled) -> None:
    """Log-probabilities of every letter of the COTs, as a score run stores them."""
    with transaction() as session:
        for candidate in session.scalars(select(Candidate).where(Candidate.run_id == sampled.run_id)).all():
            logprobs = np.linspace(-4, 0, len(candidate.text)).astype("<f2").tobytes()
            row = ScoredRow(candidate.id, -2.0, len(candidate.text), logprobs)
            by = {"model_run_id": sampled.model_id, "by_run_id": sampled.run_id}
            scores.record(session, **by, rows=[row], only_tokens=True)
            tokens.place(session, {candidate.id: range(1, len(candidate.text) + 1)})


def test_an_open_queue_shows_gold_difference_and_tokens_by_keys(server: tuple[str, Sampled], browser: Browser) -> None:
    store_tokens(server[1])
    queue_id = new_queue(server, is_blind=False, source={"n": 1})
    context, page = sit_down(server, browser, "Olga", queue_id)
    page.keyboard.press("g")
    expect(page.get_by_role("status").filter(has_text="Gold answer")).to_be_visible()
    card = page.get_by_role("article", name="COT A")
    page.keyboard.press("t")
    expect(card.locator("[data-side=heat]").first).to_have_attribute("title", "−4.000 nats")
    expect(card.get_by_text("log-probability of each token under")).to_be_visible()
    page.keyboard.press("d")
    expect(card.locator("[data-side=heat]")).to_have_count(0)
    expect(card.locator("del, ins").first).to_be_visible()
    context.close()
    # The same keys in a blind queue say why nothing comes, and nothing was sent.
    context, page = sit_down(server, browser, "Olga", new_queue(server, source={"n": 1}))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for key, words in (("g", "the gold answer is not here"), ("t", "of each token is not here"), ("d", "reference")):
        page.keyboard.press(key)
        expect(page.get_by_role("status").filter(has_text=words)).to_have_count(1)
    assert not [url for url in asked if "tokens" in url or "candidate-sets" in url]
    context.close()


def test_a_long_name_leaves_a_session_as_wide_as_a_phone(server: tuple[str, Sampled], browser: Browser) -> None:
    queue_id = new_queue(server, name="Which of these two is the better answer " * 3)
    context, page = sit_down(server, browser, "Zoe", queue_id)
    page.set_viewport_size({"width": 390, "height": 844})
    for part in (page.locator("header").first, page.get_by_role("button", name="Submit")):
        box = part.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390
    context.close()


def test_keys_are_listed_and_can_be_changed(server: tuple[str, Sampled], browser: Browser) -> None:
    queue_id = new_queue(server, source={"n": 1})
    context, page = sit_down(server, browser, "Kim", queue_id)
    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keys")
    sheet.get_by_role("button", name="Change the key: Right").click()
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    saved(page, 1)
    assert values(queue_id) == [("Kim", 1.0)]
    context.close()


def test_hostile_text_is_shown_as_text(server: tuple[str, Sampled], browser: Browser) -> None:
    name = "<img src=x onerror=window.hacked=1>"
    queue_id = new_queue(server, mode="rank", name=name, guidelines="# <script>hacked=1</script>", source={"n": 1})
    context, page = sit_down(server, browser, "<b>Hal</b>", queue_id)
    expect(page.get_by_text("<script>alert(1)</script>").first).to_be_visible()
    page.get_by_role("button", name="Guidelines").click()
    expect(page.get_by_text("# <script>hacked=1</script>")).to_be_visible()
    page.goto(f"{server[0]}/review")
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    assert page.evaluate("window.hacked === undefined && window.document.images.length === 0")
    context.close()


def test_a_queue_is_made_on_its_page(server: tuple[str, Sampled], browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{server[0]}/review/new")
    expect(page.get_by_role("heading", name="New review queue", level=1)).to_be_visible(timeout=30_000)
    expect(page.get_by_text("No COTs to review yet")).to_be_visible()
    page.close()
