"""Runs every check, one stage after the other; a stage that fails does not hide what the next ones find.

`checks.py static` looks at the text of the code only, `checks.py check` adds the tests, and `checks.py test` installs
what they need and adds those in the browser. Stages can also be named: `checks.py types imports`.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FRONTEND = ROOT / "frontend"
BIN = Path(sys.executable).parent
PYTHON = str(BIN / "python")
POSTGRES_PLACES = ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt")
# Test processes run side by side; torch taking every core in each of them makes all of them slower.
TEST_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1"}
PYTEST = [PYTHON, "-m", "pytest", "-p", "tests.no_skips"]
NOT_IN_DEFAULT = "not gpu and not slow and not engine and not qlora"


@dataclass(frozen=True)
class Stage:
    """One check."""

    name: str
    command: Sequence[str]
    directory: Path = ROOT
    environment: Mapping[str, str] = field(default_factory=dict)
    empty_is_fine: bool = False
    """Pytest's exit status 5, no test collected, is no failure."""


@dataclass(frozen=True)
class Outcome:
    """How a stage went."""

    stage: Stage
    passed: bool
    seconds: float
    last_line: str


STATIC = (
    Stage("format", [str(BIN / "ruff"), "format", "--check", "."]),
    Stage("lint", [str(BIN / "ruff"), "check", "."]),
    Stage("types", [str(BIN / "mypy")]),
    Stage("imports", [str(BIN / "lint-imports"), "--no-cache", "--no-logo"]),
    Stage("migrations", [PYTHON, "-m", "scripts.drift", "migrations"]),
    Stage("openapi", [PYTHON, "-m", "scripts.drift", "openapi"]),
    Stage("frontend-types-drift", ["npm", "run", "--silent", "types:check"], FRONTEND),
    Stage("frontend-lint", ["npm", "run", "--silent", "lint"], FRONTEND),
    Stage("frontend-types", ["npm", "run", "--silent", "typecheck"], FRONTEND),
)
TESTS = (
    Stage("frontend-tests", ["npm", "run", "--silent", "test"], FRONTEND),
    Stage("frontend-size", ["npm", "run", "--silent", "size"], FRONTEND),
    Stage(
        "python-tests",
        [*PYTEST, "-q", "-n", "2", "--dist", "loadfile", "-m", f"{NOT_IN_DEFAULT} and not browser"],
        environment=TEST_ENVIRONMENT,
    ),
)
BROWSER = (
    Stage(
        "browser-tests",
        [*PYTEST, "-v", "-n", "2", "--dist", "loadfile", "-m", f"{NOT_IN_DEFAULT} and browser"],
        environment=TEST_ENVIRONMENT,
    ),
)
SETS = {"static": STATIC, "check": STATIC + TESTS, "test": STATIC + TESTS + BROWSER}


def install_programs() -> None:
    """Install what the tests drive, where that is possible, and say what will be skipped where it is not."""
    missing = {
        "chromium": not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")),
        "postgresql": not _has_postgres(),
        "redis-server": shutil.which("redis-server") is None,
    }
    packages = [name for name, is_missing in missing.items() if is_missing]
    if not packages:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        print(f"Not installed: {', '.join(packages)}; only root on Debian can be helped. Their tests are skipped.")
        return
    print(f"Installing {', '.join(packages)} ...", flush=True)
    # Runlevel 1 keeps the packages from starting servers; the tests start private ones.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    for command in (["apt-get", "update"], install):
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            print(f"{' '.join(command)} failed, so some tests will be skipped:\n{done.stderr[-2000:]}")
            return


def run(stage: Stage) -> Outcome:
    """Run one stage, passing its output on."""
    print(f"\n=== {stage.name}: {_shown(stage.command)}", flush=True)
    begun, last_line = time.monotonic(), ""
    process = subprocess.Popen(
        stage.command,
        cwd=stage.directory,
        env={**os.environ, **stage.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout is not None
    with process:
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            last_line = line.strip() or last_line
    seconds = time.monotonic() - begun
    passed = process.returncode == 0 or (stage.empty_is_fine and process.returncode == 5)
    print(f"=== {stage.name} {'passed' if passed else 'FAILED'} in {seconds:.1f} s", flush=True)
    return Outcome(stage, passed, seconds, last_line)


def report(outcomes: Sequence[Outcome]) -> None:
    """Print how every stage went, and each test run's own last line."""
    print("\n=== summary")
    for outcome in outcomes:
        print(f"{'passed' if outcome.passed else 'FAILED'}  {outcome.seconds:7.1f} s  {outcome.stage.name}")
    print(f"        {sum(outcome.seconds for outcome in outcomes):7.1f} s  in all")
    for outcome in outcomes:
        if "pytest" in outcome.stage.command:
            print(f"{outcome.stage.name}: {outcome.last_line}")


def main(arguments: list[str]) -> int:
    """Run the named set or stages."""
    stages = {stage.name: stage for stage in SETS["test"]}
    names = arguments or ["test"]
    unknown = [name for name in names if name not in SETS and name not in stages]
    if unknown:
        print(f"There is no check {unknown[0]!r}. There are {', '.join([*SETS, *stages])}.")
        return 2
    if "test" in names:
        install_programs()
    chosen = [stage for name in names for stage in SETS.get(name, (stages.get(name),)) if stage]
    outcomes = [run(stage) for stage in chosen]
    report(outcomes)
    failed = [outcome.stage.name for outcome in outcomes if not outcome.passed]
    print(f"FAILED: {', '.join(failed)}" if failed else "Everything passed.")
    return 1 if failed else 0


def _has_postgres() -> bool:
    if shutil.which("initdb"):
        return True
    return any(path for place in POSTGRES_PLACES for path in Path(place).glob("*/bin/initdb"))


def _shown(command: Sequence[str]) -> str:
    return " ".join([Path(command[0]).name, *command[1:]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
