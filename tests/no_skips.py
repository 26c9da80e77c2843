"""Pytest plugin: with ``AFT_TEST_NO_SKIPS=1`` a skipped test fails the run, but one that needs a GPU.

A test that silently stops running proves nothing any more.
"""

import os
from collections.abc import Iterator

import pytest

_skipped: dict[str, str] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note what was skipped."""
    if report.skipped and "gpu" not in report.keywords and not hasattr(report, "wasxfail"):
        _skipped[report.nodeid] = _reason(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note modules that skip themselves."""
    if report.skipped:
        _skipped[report.nodeid] = _reason(report)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Iterator[None]:
    """Turn a passed run with skips into a failed one."""
    if _forbidden() and exitstatus == pytest.ExitCode.OK and not hasattr(session.config, "workerinput"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which skips failed the run."""
    if _forbidden():
        terminalreporter.section("skips that AFT_TEST_NO_SKIPS=1 does not allow")
        for name, reason in _skipped.items():
            terminalreporter.line(f"{name}: {reason}")


def _forbidden() -> bool:
    return os.environ.get("AFT_TEST_NO_SKIPS") == "1" and bool(_skipped)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else str(report.longrepr)
