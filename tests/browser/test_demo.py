"""From the empty first page to charts: the demo, shortened, pressed and watched in a real browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.served import served

pytestmark = pytest.mark.browser
PATIENCE_MS = 300_000


@pytest.fixture
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The whole product on an empty data directory."""
    with served(tmp_path_factory.mktemp("data"), "--slots", "2", workers=True) as address:
        yield address


def shortened(route: Route) -> None:
    """The same request, for the form that takes a minute."""
    route.continue_(url=f"{route.request.url}?short=true")


def test_the_demo_runs_from_a_press_to_charts(address: str, browser: Browser) -> None:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route(re.compile(r"/api/v1/demo$"), shortened)
    page.goto(address)
    page.get_by_role("button", name="Run the demo").click()

    # The experiment, live: nothing is reloaded until it is finished.
    expect(page.get_by_role("heading", name="Demo, shortened", level=1)).to_be_visible(timeout=30_000)
    progress = page.get_by_role("progressbar", name="Progress of Demo, shortened")
    expect(page.get_by_role("heading", name="Now")).to_be_visible(timeout=60_000)
    total = progress.get_attribute("aria-valuemax")
    assert total is not None
    expect(progress).to_have_attribute("aria-valuenow", total, timeout=PATIENCE_MS)

    page.get_by_role("link", name="Compare", exact=True).last.click()
    table = page.get_by_role("table").first
    for method in ("VFT", "RFT", "AFT · none", "AFT · detached", "AFT · boundary"):
        expect(table.get_by_text(method, exact=True).first).to_be_visible(timeout=30_000)
    for figure in ("Task accuracy per method", "Assessment accuracy per method", "Perplexity per method"):
        drawn = page.get_by_role("img", name=figure)
        expect(drawn.locator("svg.main-svg").first).to_be_visible(timeout=30_000)

    # What it was trained on can be read: sampled COTs with a verdict each.
    page.get_by_role("link", name="Look at the COTs").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=30_000)
    expect(page.get_by_text(re.compile("right|wrong")).first).to_be_visible(timeout=30_000)
    assert errors == []
    page.close()
