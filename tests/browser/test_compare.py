"""Comparing in a real browser: selection linked between table and charts, permalink, exports, experiment operations."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from aft.config.experiment import ExperimentSpec
from backend.db.migrate import upgrade
from backend.db.models import BaseModelEntry, Experiment
from backend.db.session import get_engine, reset_engines, transaction
from backend.services import bundle_verify, experiments
from backend.services.bundle_archive import Bundle
from tests.backend.comparing import finish, finished_experiment
from tests.browser.served import served
from tests.factories import TINY, make_dataset

pytestmark = pytest.mark.browser
PATIENCE = 30_000
DRAWN = ".js-plotly-plot .main-svg"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A server with a finished experiment; gives its address and the experiment's id."""
    directory = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFT_DATA_DIR", str(directory))
        reset_engines()
        upgrade()
        with transaction() as session:
            experiment_id = finished_experiment(session).id
        with served(directory) as address:
            yield address, experiment_id
        get_engine().dispose()
    reset_engines()


@pytest.fixture(scope="module")
def grid(server: tuple[str, str]) -> str:
    """On that server, an experiment over two data sets and models and one data set more to test on; gives its id."""
    with transaction() as session:
        other, _ = make_dataset(session, train=14, validation=2, test=20)
        tested, _ = make_dataset(session, train=2, validation=2, test=10)
        models = [
            BaseModelEntry(name=f"{layers} deep", source="builtin", config=TINY.model_dump() | {"layers": layers})
            for layers in (1, 3)
        ]
        session.add_all(models)
        session.flush()
        spec = session.get_one(Experiment, server[1]).spec | {
            "name": "Blocks",
            "seeds": [1, 2],
            "self_consistency": [],
            "pass_at_k": [],
            "more_datasets": [{"dataset_version_id": other}],
            "more_models": [models[0].id],
            "also_test_on": [{"dataset_version_id": tested}],
        }
        found = experiments.start(session, ExperimentSpec.model_validate(spec), request_id=None)
        finish(session, found)
        return found.id


def opened(browser: Browser, address: str) -> Page:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    return page


def faint(page: Page, title: str) -> list[str]:
    """Methods that the figure shows faintly."""
    found: list[str] = page.evaluate(
        """title => [...new Set([...document.querySelectorAll(`[aria-label="${title}"]`)]
            .flatMap(place => place.data ?? [])
            .filter(trace => trace.opacity !== undefined && trace.opacity < 0.5)
            .map(trace => trace.meta.method))]""",
        title,
    )
    return found


def click_bar(page: Page, title: str, place: int) -> None:
    """Point at a bar until the figure knows it, then click."""
    bar = page.locator(f'[aria-label="{title}"] .trace.bars .points path').nth(place)
    bar.evaluate("element => element.scrollIntoView({ block: 'center' })")
    box = bar.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 2
    page.mouse.move(x - 5, y)
    page.mouse.move(x, y)
    page.wait_for_function(f"""document.querySelector('[aria-label="{title}"]')._hoverdata?.length > 0""")
    page.mouse.click(x, y)


def row(page: Page, method: str) -> Any:
    """The method's line in the table."""
    table = page.get_by_role("region", name="Comparison of methods")
    return table.get_by_role("row").filter(has=page.get_by_role("button", name=method, exact=True))


def test_table_and_charts_select_each_other_and_the_address_holds_it(server: tuple[str, str], browser: Browser) -> None:
    address, experiment_id = server
    page = opened(browser, f"{address}/compare/{experiment_id}")
    title = "Task accuracy per method"
    page.wait_for_selector(DRAWN)
    page.get_by_role("button", name="RFT", exact=True).click()
    expect(page.get_by_role("button", name="RFT", exact=True)).to_have_attribute(
        "aria-pressed", "true", timeout=PATIENCE
    )
    page.wait_for_function(f"""document.querySelector('[aria-label="{title}"]').data[0].opacity < 0.5""")
    assert "RFT" not in faint(page, title)
    assert "AFT · boundary" in faint(page, title)
    # The other way round: a click on a bar selects the row.
    click_bar(page, title, 4)
    expect(page.get_by_role("button", name="AFT · boundary", exact=True)).to_have_attribute(
        "aria-pressed", "true", timeout=PATIENCE
    )
    page.get_by_role("button", name="Task (%)").click()
    expect(page).to_have_url(re.compile("sort=-task_accuracy"), timeout=PATIENCE)
    # Somebody else opens the same address.
    other = opened(browser, page.url)
    other.wait_for_selector(DRAWN)
    for method in ("RFT", "AFT · boundary"):
        expect(other.get_by_role("button", name=method, exact=True)).to_have_attribute(
            "aria-pressed", "true", timeout=PATIENCE
        )
    first = other.get_by_role("region", name="Comparison of methods").get_by_role("row").nth(1)
    expect(first).to_contain_text("AFT · boundary", timeout=PATIENCE)
    other.close()
    page.close()


def test_flipped_questions_lead_to_their_cots(server: tuple[str, str], browser: Browser) -> None:
    address, experiment_id = server
    page = opened(browser, f"{address}/compare/{experiment_id}?flips=RFT")
    page.get_by_text("McNemar p").wait_for()
    page.locator("a[href*='/cots/'][href*='question=']").first.click()
    expect(page).to_have_url(re.compile(r"/cots/.*question="), timeout=PATIENCE)
    page.close()


def test_exports_come_from_the_view_and_the_bundle_verifies(
    server: tuple[str, str], browser: Browser, tmp_path: Path
) -> None:
    address, experiment_id = server
    page = opened(browser, f"{address}/compare/{experiment_id}?baseline=RFT")

    def exported(item: str) -> Path:
        page.get_by_role("button", name="Export", exact=True).click()
        with page.expect_download() as waiting:
            page.get_by_role("menuitem", name=item).click()
        place = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(place)
        return place

    row(page, "RFT").first.wait_for()
    table = exported("Table, CSV").read_text()
    assert table.startswith("method,metric,mean")
    assert "RFT,task_accuracy" in table
    with Bundle(exported("Reproduction bundle, zip")) as bundle:
        assert bundle.json("experiment.json")["options"]["baseline"] == "RFT"
        found = bundle_verify.verify(bundle)
    assert found.differences == []
    assert found.checked["tables"] > 500
    report = exported("Report, one HTML page")
    page.close()
    asked: list[str] = []
    errors: list[str] = []
    offline = browser.new_page()
    offline.on("request", lambda request: asked.append(request.url))
    offline.on("pageerror", lambda error: errors.append(str(error)))
    offline.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    offline.goto(report.as_uri())
    offline.wait_for_selector(".plot .main-svg", timeout=60_000)
    expect(offline.get_by_role("heading", name="Constraints & <b>losses</b>")).to_be_visible(timeout=PATIENCE)
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert errors == []
    assert offline.evaluate("window.hacked") is None
    offline.close()


def test_an_experiment_is_extended_paused_and_resumed(server: tuple[str, str], browser: Browser) -> None:
    address, experiment_id = server
    page = opened(browser, f"{address}/experiments/{experiment_id}")
    page.get_by_role("button", name="Extend").click()
    page.get_by_label("Seeds to add").fill("1")
    page.get_by_text("The experiment has seed 1 already.").wait_for()
    page.get_by_label("Seeds to add").fill("4")
    expect(page.get_by_text("17 new runs")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Extend experiment").click()
    expect(page.get_by_text("5 cells of 20 missing")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("no new one starts until you resume it").wait_for()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible(timeout=PATIENCE)
    page.close()


def test_the_overview_chooses_the_block_that_is_compared_below(
    server: tuple[str, str], grid: str, browser: Browser
) -> None:
    page = opened(browser, f"{server[0]}/compare/{grid}?test=paired-t")
    overview = page.get_by_role("region", name="Task accuracy over data sets and models")
    expect(overview.get_by_role("columnheader")).to_have_count(1 + 8 + 2, timeout=PATIENCE)
    choice = page.get_by_role("combobox", name="Data and model")
    expect(choice).to_have_value("numbers 16 2 24 v1 · small", timeout=PATIENCE)
    overview.get_by_role("button", name="numbers 14 2 20 v1 · 1 deep", exact=True).click()
    expect(choice).to_have_value("numbers 14 2 20 v1 · 1 deep", timeout=PATIENCE)
    expect(page).to_have_url(re.compile("block=d2m2"), timeout=PATIENCE)
    # What the overview says of that block is what its table says.
    cells = overview.get_by_role("row").filter(has_text="RFT").get_by_role("cell")
    mean = cells.nth(3).inner_text().split("\n")[0]
    expect(row(page, "RFT").first).to_contain_text(mean, timeout=PATIENCE)
    # The other way round, and over a block that only tests: nothing is assessed there.
    choice.click()
    page.get_by_role("option", name="numbers 2 2 10 v1 (trained on numbers 16 2 24 v1) · small", exact=True).click()
    expect(page).to_have_url(re.compile("block=d1m1t1"), timeout=PATIENCE)
    expect(row(page, "RFT").first.get_by_role("cell").nth(2)).to_contain_text("not measured", timeout=PATIENCE)
    # Somebody else opens the same address.
    other = opened(browser, page.url)
    expect(other.get_by_role("combobox", name="Data and model")).to_have_value(
        "numbers 2 2 10 v1 (trained on numbers 16 2 24 v1) · small", timeout=PATIENCE
    )
    expect(row(other, "RFT").first.get_by_role("cell").nth(2)).to_contain_text("not measured", timeout=PATIENCE)
    other.close()
    page.close()


@pytest.mark.parametrize("width", [1440, 390])
def test_every_block_is_named_in_the_figure_on_a_desk_and_a_telephone(
    server: tuple[str, str], grid: str, browser: Browser, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(PATIENCE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    # Assessment, which blocks that only test have none of: their cells say so to screen readers as well.
    page.goto(f"{server[0]}/compare/{grid}?metric=assessment_accuracy")
    figure = page.locator('[aria-label="Task accuracy over data sets and models"] .ytick')
    expect(figure).to_have_count(8, timeout=PATIENCE)
    expect(page.get_by_role("region", name="Assessment accuracy over data sets and models")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # The column of names, which stays in sight, is wide enough to be read and leaves room for the numbers.
    names = row(page, "AFT · boundary").first.get_by_role("rowheader").bounding_box()
    assert names is not None
    assert 150 <= names["width"] <= max(180, width / 2)
    # Only the page's own part scrolls, not the window as well.
    assert page.evaluate("document.documentElement.scrollHeight") <= 900
    assert errors == []
    page.close()


def test_an_experiment_is_extended_by_a_model(server: tuple[str, str], grid: str, browser: Browser) -> None:
    page = opened(browser, f"{server[0]}/experiments/{grid}")
    page.get_by_role("button", name="Extend").click()
    page.get_by_text("More data sets and models").click()
    page.get_by_role("combobox", name="More base models").press("ArrowDown")
    expect(page.get_by_role("option", name="1 deep")).to_have_count(0, timeout=PATIENCE)
    page.get_by_role("option", name="3 deep").click()
    page.get_by_role("combobox", name="More base models").press("Tab")
    expect(page.get_by_text(re.compile(r"^\d+ new runs"))).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Extend experiment").click()
    page.get_by_role("combobox", name="Data and model").click()
    page.get_by_role("option", name="numbers 14 2 20 v1 · 3 deep", exact=True).click()
    # The address holds the block, and its cells are there to be clicked.
    expect(page).to_have_url(re.compile("block=d2m3"), timeout=PATIENCE)
    other = opened(browser, page.url)
    expect(other.get_by_role("combobox", name="Data and model")).to_have_value(
        "numbers 14 2 20 v1 · 3 deep", timeout=PATIENCE
    )
    cell = other.get_by_role("region", name="Methods and seeds").get_by_role("link").first
    expect(cell).to_have_attribute("href", re.compile("^/runs/"), timeout=PATIENCE)
    other.close()
    page.close()


def test_runs_chosen_on_the_runs_page_are_compared(server: tuple[str, str], browser: Browser) -> None:
    address, experiment_id = server
    page = opened(browser, f"{address}/runs?experiment={experiment_id}&kind=evaluate&q=seed%201")
    expect(page.get_by_role("button", name="Compare", exact=True)).to_be_disabled(timeout=PATIENCE)
    for name in ("Evaluate VFT · seed 1", "Evaluate RFT · seed 1"):
        page.get_by_role("row").filter(has_text=name).get_by_role("checkbox").check()
    page.get_by_role("button", name="Compare 2").click()
    expect(page).to_have_url(re.compile(r"/compare/runs\?run=.*&run="), timeout=PATIENCE)
    expect(row(page, "VFT").first).to_contain_text("baseline", timeout=PATIENCE)
    expect(page.get_by_role("combobox", name="Test")).to_have_value("McNemar, two runs", timeout=PATIENCE)
    page.get_by_text("McNemar p").wait_for()
    page.wait_for_selector(DRAWN)
    page.get_by_role("button", name="Actions: RFT").click()
    page.get_by_role("menuitem", name="Use as baseline").click()
    expect(row(page, "RFT").first).to_contain_text("baseline", timeout=PATIENCE)
    other = opened(browser, page.url)
    expect(row(other, "RFT").first).to_contain_text("baseline", timeout=PATIENCE)
    other.close()
    page.close()


def test_columns_of_the_runs_are_chosen_and_the_address_keeps_them(server: tuple[str, str], browser: Browser) -> None:
    page = opened(browser, f"{server[0]}/runs")
    expect(page.get_by_role("columnheader", name="Seed")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("menuitem", name="Seed").click()
    expect(page.get_by_role("columnheader", name="Seed")).to_have_count(0, timeout=PATIENCE)
    expect(page).to_have_url(re.compile("hide=seed"), timeout=PATIENCE)
    page.close()
