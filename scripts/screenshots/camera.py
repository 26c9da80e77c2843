"""Opens a scene in headless Chromium, waits until it is quiet, and takes its picture."""

import base64
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page
from playwright.sync_api import TimeoutError as NotQuiet

from scripts.screenshots.scenes import Scene
from tests.browser.looking import settle

HEIGHT = 900
TALLEST = 2600
WEBP_QUALITY = 0.86
_TO_WEBP = """async ([data, quality]) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    canvas.getContext('2d').drawImage(image, 0, 0);
    return canvas.toDataURL('image/webp', quality).split(',')[1];
}"""


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture taken, and what its page overflowed or said on the console."""

    file: Path
    complaints: list[str]


def take(browser: Browser, address: str, scene: Scene, directory: Path, *, scheme: str, width: int, webp: bool) -> Shot:
    """Take one picture.

    Args:
        browser: A headless Chromium.
        address: The server's.
        scene: What to open, and what to do there first.
        directory: Where the picture goes.
        scheme: ``light`` or ``dark``.
        width: Of the window, in CSS pixels.
        webp: As WebP, else as PNG.
    """
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-GB",
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    for prepare in scene.before:
        prepare(page)
    page.goto(f"{address}{scene.path}")
    _wait(page, complaints)
    for act in scene.then:
        act(page)
        _wait(page, complaints)
    # The page scrolls inside of its frame: the window grows to what it holds.
    tall = int(page.evaluate("document.querySelector('#main')?.scrollHeight ?? 0")) + (HEIGHT if scene.modal else 60)
    page.set_viewport_size({"width": width, "height": HEIGHT if scene.modal else min(max(HEIGHT, tall), TALLEST)})
    _wait(page, complaints)
    wide = int(
        page.evaluate("document.querySelector('#main')?.scrollWidth - document.querySelector('#main')?.clientWidth")
    )
    if wide > 0:
        complaints.append(f"{wide} px wider than the window of {width} px")
    suffix = "" if (scheme, width) == ("light", 1280) else f"-{scheme}" if width == 1280 else f"-{width}"
    file = directory / f"{scene.name}{suffix}.png"
    page.screenshot(path=file)
    if webp:
        file = _as_webp(context, file)
    context.close()
    return Shot(file, complaints)


def _wait(page: Page, complaints: list[str]) -> None:
    try:
        settle(page, quiet=700, timeout=20_000)
    except NotQuiet:
        complaints.append("still loading after 20 s")


def _as_webp(context: BrowserContext, file: Path) -> Path:
    """The picture again, in a fifth of the bytes; Chromium itself encodes it."""
    page = context.new_page()
    data = page.evaluate(_TO_WEBP, [base64.b64encode(file.read_bytes()).decode(), WEBP_QUALITY])
    smaller = file.with_suffix(".webp")
    smaller.write_bytes(base64.b64decode(data))
    file.unlink()
    return smaller
