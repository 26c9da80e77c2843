"""Takes a picture of every page: light, dark and narrow; full, empty and failing.

``python -m scripts.screenshots OUT`` makes real content on a temporary data directory first, which takes some
minutes on two cores. ``--data-dir`` keeps it for the next time, or uses what is there.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from scripts.screenshots import scenes
from scripts.screenshots.camera import take
from scripts.screenshots.filling import fill
from scripts.screenshots.scenes import Scene
from tests.browser.conftest import FLAGS, chromium
from tests.browser.served import served

FORMS = {"light": ("light", 1280), "dark": ("dark", 1280), "narrow": ("light", 390)}


def main(arguments: list[str]) -> int:
    """Fill, photograph, and say what looked wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="directory for the pictures")
    parser.add_argument("--data-dir", type=Path, help="installation to show; filled first where it has no experiment")
    parser.add_argument("--only", default="", help="only scenes whose name contains this; several, comma-separated")
    parser.add_argument("--forms", default=",".join(FORMS), help="of light, dark, narrow")
    parser.add_argument("--groups", default="empty,failing,full", help="of empty, failing, full")
    parser.add_argument("--kept", action="store_true", help="only the pictures of the documentation, as WebP")
    options = parser.parse_args(arguments)
    program = chromium()
    if program is None:
        print("Chromium is not installed: apt-get install chromium")
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    groups = options.groups.split(",")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory(prefix="screenshots-") as scratch:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        complaints = 0
        if "empty" in groups or "failing" in groups:
            with served(Path(scratch) / "empty") as address:
                chosen = scenes.empty_scenes() * ("empty" in groups) + scenes.failing_scenes() * ("failing" in groups)
                complaints += _photograph(browser, address, chosen, options)
        if "full" in groups:
            directory = options.data_dir or Path(scratch) / "full"
            if not (directory / "workbench.sqlite3").exists():
                with served(directory, "--slots", "2", workers=True) as address:
                    fill(address, print)
            with served(directory) as address:
                complaints += _photograph(browser, address, scenes.full_scenes(address), options)
        browser.close()
    return 1 if complaints else 0


def _photograph(browser: Browser, address: str, chosen: list[Scene], options: argparse.Namespace) -> int:
    wanted = options.only.split(",")
    complaints = 0
    for scene in chosen:
        if not any(word in scene.name for word in wanted):
            continue
        for form in options.forms.split(","):
            if options.kept and form not in scene.kept:
                continue
            scheme, width = FORMS[form]
            shot = take(browser, address, scene, options.out, scheme=scheme, width=width, webp=options.kept)
            print(f"{shot.file.name}  {shot.file.stat().st_size // 1000} kB", *shot.complaints, sep="  ", flush=True)
            complaints += len(shot.complaints)
    return complaints


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
