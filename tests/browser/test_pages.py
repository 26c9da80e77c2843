"""Every page in a real browser, against a real server."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.waiting import free_port, wait_until

pytestmark = pytest.mark.browser
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TITLES = {
    "/datasets": "Data sets",
    "/datasets/new": "Upload a data set",
    "/models": "Models",
    "/experiments": "Experiments",
    "/experiments/new": "New experiment",
    "/runs": "Runs",
    "/cots": "COTs",
    "/review": "Review",
    "/compare": "Compare",
    "/settings": "Settings",
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own, without workers."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AFT_")}
    environment |= {
        "AFT_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "AFT_PORT": str(port),
        "AFT_REQUIRE_LOGIN": "0",
    }
    command = [sys.executable, "-m", "backend.cli.main", "up", "--no-browser", "--no-workers"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            return httpx.get(f"{url}/ready").status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(ready, "the server answers", seconds=90)
        yield url
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield opened
        opened.close()


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


def test_the_form_shows_the_plan_before_anything_starts(address: str, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{address}/experiments/new")
    expect(page.get_by_text("No worker is running", exact=False).first).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Start experiment")).to_be_enabled()
    page.close()
