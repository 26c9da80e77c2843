"""One headless Chromium for all browser tests, and one filled installation for those that look at every page."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, sync_playwright

from backend.db.migrate import upgrade
from backend.db.session import get_engine, reset_engines
from tests.browser.filled import HOSTILE, Filled, converse, fill
from tests.browser.pages import addresses
from tests.browser.served import served

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """The browser's program, where one is installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    program = chromium()
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield opened
        opened.close()


@dataclass(frozen=True, slots=True)
class Installation:
    """A server whose every page shows something, written by people who mean no good."""

    address: str
    filled: Filled
    paths: dict[str, str]
    """Of all pages, by name."""


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Started once for all tests that only look."""
    directory = tmp_path_factory.mktemp("installation")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFT_DATA_DIR", str(directory))
        reset_engines()
        upgrade()
        filled = fill(HOSTILE)
        get_engine().dispose()
    reset_engines()
    with served(directory) as address:
        queues = converse(address, filled, HOSTILE)
        yield Installation(address, filled, addresses(filled, queues))
