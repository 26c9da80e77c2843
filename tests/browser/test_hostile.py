"""What people and models write, at its worst, on every page: nothing runs, nothing breaks, nothing hangs."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.browser.conftest import Installation
from tests.browser.filled import MARKUP
from tests.browser.looking import settle
from tests.stub_endpoint import Asked, chat, stub_endpoint

pytestmark = pytest.mark.browser
WIDTHS = (1280, 390)
TOO_WIDE = """() => {
    const main = document.querySelector('#main');
    return Math.max(document.documentElement.scrollWidth - innerWidth, main ? main.scrollWidth - main.clientWidth : 0);
}"""
FRAME = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
FRAME_MS = 10_000


class Watched:
    """A page and everything it did that it should not have."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.context = browser.new_context(reduced_motion="reduce")
        self.page: Page = self.context.new_page()
        self.seen: list[str] = []
        self.page.on("pageerror", lambda error: self.seen.append(f"error: {error}"))
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self._outside(request.url, address))
        self.page.goto(address)
        self.page.request.put(f"{address}/api/v1/reviewer", data={"name": "Hanna"})

    def _dialog(self, dialog: Dialog) -> None:
        self.seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _outside(self, url: str, address: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            self.seen.append(f"asked {url}")

    def complaints(self) -> list[str]:
        """What happened since the last time, and what is wrong with the page as it stands."""
        found, self.seen = self.seen, []
        if self.page.evaluate("window.hacked") is not None:
            found.append("somebody's text ran as code")
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.wait_for_function(FRAME, timeout=FRAME_MS)
            wide = self.page.evaluate(TOO_WIDE)
            if wide > 0:
                found.append(f"{wide} px wider than a window of {width} px")
        self.page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        return found


@pytest.fixture(scope="module")
def watched(browser: Browser, installation: Installation) -> Iterator[Watched]:
    """One page for all checks."""
    page = Watched(browser, installation.address)
    yield page
    page.context.close()


def test_nothing_runs_breaks_or_hangs_on_any_page(watched: Watched, installation: Installation) -> None:
    found: dict[str, list[str]] = {}
    for name, path in installation.paths.items():
        watched.page.goto(f"{installation.address}{path}")
        settle(watched.page)
        if wrong := watched.complaints():
            found[name] = wrong
    assert not found, "\n".join(f"{name}: {'; '.join(lines)}" for name, lines in found.items())


def test_a_text_is_shown_as_it_was_written(watched: Watched, installation: Installation) -> None:
    watched.page.goto(f"{installation.address}{installation.paths['COTs']}")
    first = watched.page.get_by_role("article").first
    expect(first).to_contain_text(MARKUP, timeout=30_000)
    assert first.locator("img, script").count() == 0
    # What turns lines around stays within the text that holds it.
    assert first.locator("p").first.evaluate("element => getComputedStyle(element).unicodeBidi") == "isolate"


def test_a_cot_of_five_megabytes_is_shortened_and_can_be_fetched_whole(
    watched: Watched, installation: Installation
) -> None:
    watched.page.goto(f"{installation.address}{installation.paths['COTs']}")
    link = watched.page.get_by_role("link", name="Download the whole text").first
    link.wait_for(timeout=30_000)
    shown = watched.page.evaluate("document.body.innerText.length")
    assert shown < 200_000
    with watched.page.expect_download() as waiting:
        link.click()
    assert waiting.value.path().stat().st_size > 5_000_000


def test_a_judges_reply_is_only_text(watched: Watched, installation: Installation) -> None:
    def reply(_asked: Asked, _number: int) -> object:
        return chat(f"{MARKUP}\n\u202e{'W' * 3_000}\nRating: 7")

    with stub_endpoint(reply) as stub:  # type: ignore[arg-type]  # an Answer
        body = {"base_url": stub.url, "model": "judge"}
        watched.page.request.put(f"{installation.address}/api/v1/judges/reply", data=body)
        watched.page.goto(f"{installation.address}/settings/judges/reply")
        watched.page.get_by_role("button", name="Try on ten").click()
        expect(watched.page.get_by_text(MARKUP, exact=False).first).to_be_visible(timeout=60_000)
        assert watched.complaints() == []
