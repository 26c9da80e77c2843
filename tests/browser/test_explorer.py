"""Finding COTs in a real browser: filters with counts, saved views, keys, and an address that keeps it all."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import Installation
from tests.browser.looking import settle

pytestmark = pytest.mark.browser
PATIENCE = 30_000


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One cache for all pages of this file."""
    made = browser.new_context()
    yield made
    made.close()


@pytest.fixture
def page(installation: Installation, context: BrowserContext) -> Iterator[Page]:
    """The scored set of the filled installation."""
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    opened.goto(f"{installation.address}/cots/{installation.filled.experiment_id}?set={installation.filled.set_id}")
    settle(opened)
    yield opened
    opened.close()


def asked(page: Page) -> dict[str, str]:
    """What the address says."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def read(installation: Installation, what: str = "", **query: Any) -> Any:
    """The set, or a list of it, as the API gives it."""
    address = f"{installation.address}/api/v1/candidate-sets/{installation.filled.set_id}{what}"
    answer = httpx.get(address, params=query, timeout=60)
    assert answer.is_success, answer.text
    return answer.json()


def listed(installation: Installation, what: str, **query: Any) -> list[dict[str, Any]]:
    """Rows of a list under the model that the page begins with."""
    model = read(installation)["models"][0]["model_run_id"]
    items: list[dict[str, Any]] = read(installation, f"/{what}", limit=200, model=model, **query)["items"]
    return items


def chip(page: Page, label: str) -> Locator:
    """A filter, whose name ends with its count."""
    return page.get_by_role("search", name="Filters").get_by_role("button", name=re.compile(rf"^{label}\s*[\d,]*$"))


def rows(page: Page, count: int) -> None:
    """Wait until the list has so many rows below its head."""
    expect(page.get_by_role("table", name=re.compile("^(Questions|COTs)$"))).to_have_attribute(
        "aria-rowcount", str(count + 1)
    )


def test_chips_count_combine_and_are_cleared(installation: Installation, page: Page) -> None:
    counts = read(installation)["counts"]
    for verdict in ("right", "wrong", "unparsed", "truncated"):
        expect(chip(page, verdict)).to_have_text(f"{verdict}{counts[verdict]:,}")
    page.get_by_text("COTs", exact=True).last.click()
    chip(page, "wrong").click()
    rows(page, len(listed(installation, "candidates", verdict="wrong")))
    chip(page, "in a violated pair").click()
    both = listed(installation, "candidates", verdict="wrong", violated=True)
    assert 0 < len(both) < counts["wrong"]
    rows(page, len(both))
    assert asked(page) | {"verdict": "wrong", "violated": "1", "view": "cots"} == asked(page)
    page.reload()
    rows(page, len(both))
    expect(chip(page, "wrong")).to_have_attribute("aria-pressed", "true")
    expect(chip(page, "in a violated pair")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Clear filters").click()
    rows(page, min(100, counts["all"]))  # a page of the list
    assert {"verdict", "violated"}.isdisjoint(asked(page))
    page.get_by_label("Search questions and COTs").fill("no such words anywhere")
    expect(page.get_by_text("No COT passes the filters")).to_be_visible()


def test_a_view_is_saved_found_after_a_reload_opened_and_deleted(installation: Installation, page: Page) -> None:
    chip(page, "wrong").click()
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="Save these filters").click()
    page.get_by_role("textbox", name="Name").fill("Only the wrong ones")
    page.get_by_role("button", name="Save view").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Clear filters").click()
    page.reload()
    assert "verdict" not in asked(page)
    page.get_by_role("button", name="Views").click()
    page.get_by_role("menuitem", name="Only the wrong ones").click()
    expect(chip(page, "wrong")).to_have_attribute("aria-pressed", "true")
    assert asked(page) | {"verdict": "wrong", "set": installation.filled.set_id} == asked(page)
    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name="Delete view Only the wrong ones").click()
    expect(page.get_by_text("View “Only the wrong ones” is deleted.")).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Views").click()
    expect(page.get_by_role("menuitem", name="Save these filters")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Only the wrong ones")).to_have_count(0)


def test_keys_go_through_questions_and_their_cots(installation: Installation, page: Page) -> None:
    questions = [row["example_id"] for row in listed(installation, "questions")]
    rows(page, len(questions))
    for key, question in (("j", questions[0]), ("j", questions[1]), ("k", questions[0])):
        page.keyboard.press(key)
        page.wait_for_url(re.compile(rf"question={question}(&|$)"))
    settle(page)  # until its COTs come, those of the question before are shown
    cards = page.get_by_role("article")
    page.keyboard.press("b")
    expect(cards.nth(1)).to_be_focused()
    page.keyboard.press("n")
    expect(cards.nth(2)).to_be_focused()
    page.keyboard.press("p")
    page.keyboard.press("p")
    expect(cards.nth(0)).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("/")
    search = page.get_by_label("Search questions and COTs")
    expect(search).to_be_focused()
    page.keyboard.type("jkab")
    expect(search).to_have_value("jkab")
    assert asked(page)["question"] == str(questions[0])


def test_a_reload_keeps_question_order_and_look(page: Page) -> None:
    page.get_by_role("table", name="Questions").get_by_role("row").nth(2).click()
    page.wait_for_url(re.compile("question="))
    page.get_by_role("tab", name="Pairs").click()
    page.get_by_role("combobox", name="Order").click()
    page.get_by_role("option", name="Margin").click()
    page.get_by_role("button", name="Turn the order").click()
    page.wait_for_url(re.compile("order=desc"))
    before = asked(page)
    assert before | {"look": "pairs", "sort": "margin"} == before
    page.reload()
    expect(page.get_by_role("tab", name="Pairs")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("combobox", name="Order")).to_have_value("Margin")
    expect(page.get_by_role("button", name="Turn the order")).to_be_visible()
    assert asked(page) == before
