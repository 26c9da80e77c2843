"""Every page in a real browser, against a real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.served import served

pytestmark = pytest.mark.browser
TITLES = {
    "/datasets": "Data sets",
    "/datasets/new": "Upload a data set",
    "/models": "Models",
    "/experiments": "Experiments",
    "/experiments/new": "New experiment",
    "/experiments/paper": "The paper in miniature",
    "/runs": "Runs",
    "/cots": "COTs",
    "/review": "Review",
    "/compare": "Compare",
    "/settings": "Settings",
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own, without workers."""
    with served(tmp_path_factory.mktemp("data")) as address:
        yield address


@pytest.mark.parametrize(("path", "title"), TITLES.items())
def test_a_page_opens_without_an_error(address: str, browser: Browser, path: str, title: str) -> None:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address + path)
    expect(page.get_by_role("heading", name=title, exact=True, level=1)).to_be_visible(timeout=30_000)
    assert errors == []
    page.close()


def test_the_first_page_offers_the_demo(address: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(address)
    expect(page.get_by_role("button", name="Run the demo")).to_be_visible(timeout=30_000)
    page.close()


def test_a_gsm8k_file_is_recognised_and_previewed(address: str, browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "train.jsonl"
    file.write_text('{"question": "Ann has 2 and gets 3. How many?", "answer": "2 + 3 = 5\\n#### 5"}\n' * 2)
    page = browser.new_page()
    page.goto(f"{address}/datasets/new")
    page.set_input_files("input[type=file]", str(file))
    expect(page.get_by_role("heading", name="train.jsonl")).to_be_visible(timeout=30_000)
    expect(page.get_by_role("cell", name="5", exact=True).first).to_be_visible()
    page.close()


def test_columns_of_any_other_file_are_mapped_with_a_live_preview(
    address: str, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "sums.csv"
    file.write_text("frage,weg,antwort\nOne and two?,1 + 2 = 3,3\nTwo and two?,2 + 2 = 4,none\n")
    page = browser.new_page()
    page.goto(f"{address}/datasets/new")
    page.set_input_files("input[type=file]", str(file))
    expect(page.get_by_role("columnheader", name="frage")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Map the columns of sums.csv first.")).to_be_visible()
    for label, column in (("Question", "frage"), ("Reference COT", "weg"), ("Gold answer", "antwort")):
        page.get_by_role("combobox", name=label, exact=True).click()
        page.get_by_role("option", name=column, exact=True).click()
    page.get_by_role("combobox", name="Task", exact=True).click()
    page.get_by_role("option", name="gsm8k", exact=True).click()
    expect(page.get_by_role("cell", name="3", exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="antwort:")).to_be_visible()
    expect(page.get_by_text("1 of the first 2 rows cannot be imported.")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("The import is under way")).to_be_visible(timeout=30_000)
    page.close()


def test_the_form_shows_the_plan_before_anything_starts(address: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{address}/experiments/new")
    expect(page.get_by_text("No worker is running", exact=False).first).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Start experiment")).to_be_enabled()
    page.close()


def test_a_table_of_the_paper_fills_the_form(address: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{address}/experiments/new")
    page.get_by_placeholder("None: settings of your own").fill("Figure 2d", timeout=60_000)
    page.get_by_role("option", name="Figure 2d: self-consistency").click(timeout=30_000)
    expect(page.get_by_label("Name", exact=True)).to_have_value("Figure 2d: self-consistency, in miniature")
    assert "preset=figure-2d" in page.url
    page.get_by_role("tab", name="YAML").click()
    # A setting that the form itself does not show.
    expect(page.get_by_text("self_consistency:", exact=False)).to_be_visible(timeout=30_000)
    page.get_by_text("As in the paper", exact=True).click()
    expect(page.get_by_label("Learning rate")).to_have_value("2e-5")
    page.close()
