"""Waiting until a page shows what it has."""

from playwright.sync_api import Page

SETTLED = """quiet => {
    const waiting = document.querySelectorAll('[aria-busy="true"], .mantine-Skeleton-root').length;
    const last = performance.getEntriesByType('resource').at(-1);
    return waiting === 0 && document.querySelector('h1, h2, [role=alert]') !== null
        && (last === undefined || performance.now() - last.responseEnd > quiet);
}"""
"""Nothing loads, something is there, and no answer came within the last milliseconds."""


def settle(page: Page, quiet: int = 200, timeout: int = 60_000) -> None:
    """Wait until nothing is loading any more.

    Args:
        page: Where to look.
        quiet: Milliseconds without a new answer.
        timeout: Milliseconds after which it is an error.
    """
    page.wait_for_function(SETTLED, arg=quiet, timeout=timeout)
