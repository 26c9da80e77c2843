"""Every page, checked by axe in both themes, and what can be reached by keyboard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Installation
from tests.browser.looking import settle

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = {"serious", "critical"}
SAME = {"list of COTs", "waiting run", "agreement, verify", "agreement, pair", "session, verify", "session, pair"}
"""Pages made of the same parts as another one that is checked."""
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "resultTypes": ["violations"],
    "preload": False,
}
# Two frames after the switch: until then some elements have the colours of before.
DARK = """() => getComputedStyle(document.body).backgroundColor === 'rgb(22, 25, 28)'
    && new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"""
CONTRAST = {
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
    "resultTypes": ["violations"],
    "preload": False,
}
FOCUS = """() => {
    const at = document.activeElement;
    if (at === null || at === document.body) return '';
    const ring = place => {
        const style = getComputedStyle(place);
        const { outlineStyle, outlineWidth, boxShadow } = style;
        return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
    };
    // Inputs of switches and choices are hidden; what stands for them shows the focus. Fields show it by their border.
    const field = at.matches('input, textarea, select');
    return field || ring(at) ? '' : at.outerHTML.slice(0, 200);
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, installation: Installation) -> Iterator[Page]:
    """One page for all checks, at which a reviewer sits."""
    assert AXE.exists(), f"{AXE} is missing. `make setup` installs the npm packages."
    context = browser.new_context(reduced_motion="reduce")
    opened = context.new_page()
    opened.goto(installation.address)
    opened.request.put(f"{installation.address}/api/v1/reviewer", data={"name": "Axel"})
    yield opened
    context.close()


def serious(page: Page, options: dict[str, Any]) -> list[str]:
    """What axe holds against the page, a line an element; charts are pictures with their numbers beside them."""
    found = page.evaluate("options => window.axe.run({ exclude: [['.main-svg']] }, options)", options)
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node['html'][:160]} | {node['failureSummary'][:300]}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"][:3]
    ]


def contrast_in_the_dark(page: Page) -> list[str]:
    """What remains once the switch to the dark theme has reached every element: charts are drawn anew meanwhile."""
    found: list[str] = []
    for _ in range(10):
        found = serious(page, CONTRAST)
        if not found:
            break
        page.wait_for_function(DARK)
    return found


def test_every_page_is_accessible_in_both_themes(page: Page, installation: Installation) -> None:
    axe = AXE.read_text()
    found: dict[str, list[str]] = {}
    for name, path in installation.paths.items():
        if name in SAME:
            continue
        page.emulate_media(color_scheme="light")
        page.goto(f"{installation.address}{path}")
        settle(page)
        page.evaluate(axe)
        wrong = serious(page, RULES)
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(DARK)
        wrong += [f"dark: {line}" for line in contrast_in_the_dark(page)]
        if wrong:
            found[name] = wrong
    assert not found, "\n".join(f"{name}:\n  " + "\n  ".join(lines) for name, lines in found.items())


def test_the_pages_can_be_walked_through_by_keyboard(page: Page, installation: Installation) -> None:
    page.goto(installation.address)
    settle(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'main'")
    # A table is one stop; its rows are walked with the arrows and opened with Enter.
    page.goto(f"{installation.address}/runs")
    settle(page)
    page.locator("tr[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("document.activeElement.getAttribute('data-index') === '1'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")
    page.wait_for_function("document.activeElement.id === 'main'")


def test_focus_is_visible_wherever_it_goes(page: Page, installation: Installation) -> None:
    unseen: list[str] = []
    for name in ("home", "COTs", "new queue", "settings"):
        page.goto(f"{installation.address}{installation.paths[name]}")
        settle(page)
        for _ in range(25):
            page.keyboard.press("Tab")
            seen = page.evaluate(FOCUS)
            if seen != "":
                unseen.append(f"{name}: {seen}")
    assert unseen == []
