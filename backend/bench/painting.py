"""How the largest pages come on screen in a browser: first paint, and the longest task in which it does not answer.

Tasks are taken in the page's processor time, which a busy machine does not stretch; first paint is wall clock.
"""

import importlib.util
import shutil
from collections.abc import Iterator
from typing import Any, Final

from backend.bench.filling import Filled, Told
from backend.bench.measuring import Measured, percentiles

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
_FLAGS: Final = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync")
_FIRST_PAINT: Final = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
_TABS: Final = ("Scores", "Degradation", "Sweeps")
_QUIET: Final = """async () => {
  let last = performance.now();
  new PerformanceObserver(() => { last = performance.now(); }).observe({ entryTypes: ["longtask", "resource"] });
  while (performance.now() - last < 1500) await new Promise((resolve) => setTimeout(resolve, 100));
}"""
"""Until nothing was fetched and no task was long for a second and a half."""
_CATEGORIES: Final = ("devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel")


def painting(address: str, filled: Filled, rounds: int, tell: Told) -> Iterator[Measured]:
    """Open the list of runs and the comparison of 100 runs, each time in a new browser profile.

    Args:
        address: Of the server.
        filled: What it serves.
        rounds: How often each page is opened.
        tell: Told why nothing is measured, without a browser or the package that drives it.
    """
    program = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if program is None or importlib.util.find_spec("playwright") is None:
        tell("pages in a browser are left out: Chromium or the Python package playwright is not installed")
        return
    from playwright.sync_api import sync_playwright

    paints: list[float] = []
    longest: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        for _ in range(rounds):
            paints.append(_first_paint(browser, f"{address}/runs"))
            longest.append(_longest_task(browser, f"{address}/compare/{filled.experiment_id}"))
        browser.close()
    for name, values, target in (
        (f"{filled.n_runs:,} runs in a browser, first paint", paints, 1000.0),
        ("compare 100 runs in a browser, longest task", longest, 200.0),
    ):
        p50, p95 = percentiles(values)
        yield Measured(name, "ms", round(p50, 1), round(p95, 1), target, len(values))


def _first_paint(browser: Any, address: str) -> float:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(address)
    page.wait_for_selector("tbody tr")
    found = page.evaluate(_FIRST_PAINT)
    page.context.close()
    return float(found)


def _longest_task(browser: Any, address: str) -> float:
    """Milliseconds of processor time of the page's longest task: opened, scrolled through, and every tab of figures."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    tracing = browser.new_browser_cdp_session()
    events: list[dict[str, Any]] = []
    over: list[Any] = []
    tracing.on("Tracing.dataCollected", lambda data: events.extend(data["value"]))
    tracing.on("Tracing.tracingComplete", lambda data: over.append(data))
    tracing.send(
        "Tracing.start",
        {"transferMode": "ReportEvents", "traceConfig": {"includedCategories": list(_CATEGORIES)}},
    )
    page.goto(address)
    page.wait_for_selector(".js-plotly-plot")
    page.evaluate(_QUIET)
    page.mouse.wheel(0, 3000)
    page.evaluate(_QUIET)
    for tab in _TABS:
        page.get_by_role("tab", name=tab).click()
        page.evaluate(_QUIET)
    tracing.send("Tracing.end")
    while not over:
        page.evaluate("() => new Promise((resolve) => setTimeout(resolve, 50))")
    page.context.close()
    tracing.detach()
    return _longest(events)


def _longest(events: list[dict[str, Any]]) -> float:
    pages = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    tasks: list[float] = [
        event["tdur"] / 1000
        for event in events
        if "RunTask" in event["name"] and "tdur" in event and (event["pid"], event["tid"]) in pages
    ]
    return max(tasks)
