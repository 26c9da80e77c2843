"""Every page and state that is photographed, and what is done there first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from playwright.sync_api import Page, Route

Act = Callable[[Page], None]
ADDRESSES = "**/api/v1/**"


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture."""

    name: str
    path: str
    then: Sequence[Act] = ()
    """Done on the page before the picture is taken."""
    before: Sequence[Act] = ()
    """Done before the page is opened."""
    modal: bool = False
    """Something lies over the page: the window keeps its height."""
    kept: Sequence[str] = field(default=())
    """Which of its forms are kept with the documentation: light, dark, narrow."""


def click(role: Any, name: str, *, nth: int = 0) -> Act:
    """Press something by its role and name."""
    return lambda page: page.get_by_role(role, name=name, exact=True).nth(nth).click()


def says_who(name: str) -> Act:
    """Sit down at a review session."""

    def act(page: Page) -> None:
        page.get_by_label("Your name").fill(name)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Question").wait_for()

    return act


def press(*keys: str) -> Act:
    """Press keys one after the other."""

    def act(page: Page) -> None:
        for key in keys:
            page.keyboard.press(key)

    return act


def answers(status: int, title: str) -> Act:
    """Every request to the API fails in this way."""

    def refuse(route: Route) -> None:
        body = {"title": title, "status": status, "detail": title}
        route.fulfill(status=status, json=body, content_type="application/problem+json")

    def act(page: Page) -> None:
        page.route(ADDRESSES, refuse)

    return act


def silent(page: Page) -> None:
    """Nothing answers any more."""
    page.route(ADDRESSES, lambda route: route.abort())
    page.route("**/health", lambda route: route.abort())


def slow(page: Page) -> None:
    """Requests to the API stay without an answer."""
    page.route(ADDRESSES, lambda _route: None)


def empty_scenes() -> list[Scene]:
    """A fresh installation."""
    places = ["datasets", "models", "experiments", "runs", "cots", "review", "compare", "settings"]
    return [
        Scene("home-first", "/", kept=("light",)),
        *(Scene(f"{place}-empty", f"/{place}") for place in places),
        Scene("guide", "/how-it-works"),
        Scene("queue-new-empty", "/review/new"),
        Scene("cots-import", "/cots/import"),
    ]


def failing_scenes() -> list[Scene]:
    """A server that is away, refuses, or knows nothing of an address."""
    places = [
        "",
        "datasets",
        "models",
        "experiments",
        "experiments/new",
        "runs",
        "cots",
        "review",
        "compare",
        "settings",
    ]
    return [
        *(Scene(f"{place.replace('/', '-') or 'home'}-down", f"/{place}", before=[silent]) for place in places),
        Scene("runs-500", "/runs", before=[answers(500, "The database is locked")]),
        Scene("signed-out", "/", before=[answers(401, "Not signed in")]),
        Scene("expired", "/expired"),
        Scene("not-found", "/nothing/here"),
        Scene("run-unknown", "/runs/0000"),
        Scene("experiment-unknown", "/experiments/0000"),
        Scene("dataset-unknown", "/datasets/0000"),
        Scene("compare-unknown", "/compare/0000"),
        Scene("cots-unknown", "/cots/0000"),
        Scene("review-unknown", "/review/0000"),
        Scene("judge-unknown", "/settings/judges/nobody"),
    ]


def full_scenes(address: str) -> list[Scene]:
    """Everything, on an installation that ``filling`` filled."""
    with httpx.Client(base_url=f"{address}/api/v1", timeout=60) as web:
        experiment = web.get("/experiments").json()["items"][0]["id"]
        sets = web.get(f"/experiments/{experiment}/candidate-sets").json()["sets"]
        scored = next(one for one in sets if len(one["models"]) > 1)
        run_set = scored["run_id"]
        model, other = (one["model_run_id"] for one in scored["models"][:2])
        worst = web.get(f"/candidate-sets/{run_set}/violations", params={"model": model}).json()
        question = worst["items"][0]["example_id"]
        runs = web.get("/runs", params={"limit": 200}).json()["items"]
        trained = next(run["id"] for run in runs if run["kind"] == "train" and (run["method"] or "").startswith("AFT"))
        failed = next((run["id"] for run in runs if run["state"] == "failed"), None)
        datasets = web.get("/datasets").json()["items"]
        queues = web.get("/review-queues").json()["queues"]
    cots = f"/cots/{experiment}?set={run_set}&model={model}"
    asked = f"{cots}&question={question}"
    return [
        Scene("home", "/", kept=("light", "dark")),
        Scene("datasets", "/datasets"),
        *(Scene(f"dataset-{place}", f"/datasets/{one['id']}") for place, one in enumerate(datasets[:2])),
        Scene("upload", "/datasets/new"),
        Scene("models", "/models", kept=("light",)),
        Scene("experiments", "/experiments"),
        Scene("experiment-new", "/experiments/new", kept=("light",)),
        Scene("experiment-new-yaml", "/experiments/new", then=[click("tab", "YAML")]),
        Scene("experiment", f"/experiments/{experiment}", kept=("light",)),
        Scene("runs", "/runs", kept=("light",)),
        Scene("run", f"/runs/{trained}", kept=("light", "narrow")),
        *([Scene("run-failed", f"/runs/{failed}", kept=("light",))] if failed else []),
        Scene("cots", "/cots"),
        Scene("cots-explorer", asked, kept=("light", "dark", "narrow")),
        Scene("cots-list", f"{cots}&view=cots"),
        Scene("cots-pairs", f"{asked}&look=pairs&against={other}", kept=("light",)),
        Scene("cots-tokens", f"{asked}&look=tokens&against={other}", kept=("light",)),
        Scene("cots-diff", f"{asked}&look=diff"),
        Scene("cots-beta", f"{asked}&look=beta"),
        Scene("cots-extraction", asked, then=[lambda page: page.get_by_text("How it was read").first.click()]),
        Scene("violations", f"/cots/{experiment}/violations?set={run_set}&model={model}&against={other}"),
        Scene("beta", f"/cots/{experiment}/beta?set={run_set}&model={model}", kept=("light", "dark")),
        Scene("labels", f"/cots/{experiment}/labels?set={run_set}"),
        Scene("review", "/review"),
        Scene("queue-new", "/review/new"),
        *(
            Scene(
                f"session-{queue['mode']}",
                f"/review/{queue['id']}/session",
                then=[says_who(f"Photographer {queue['mode']}"), press(*_first_keys(queue["mode"]))],
                kept=("light", "narrow") if queue["mode"] == "rate" else (),
                modal=True,
            )
            for queue in queues
        ),
        *(Scene(f"queue-{queue['mode']}", f"/review/{queue['id']}") for queue in queues[:1]),
        *(
            Scene(
                f"agreement-{queue['mode']}",
                f"/review/{queue['id']}?tab=agreement",
                kept=("light",) * (queue["mode"] == "rate"),
            )
            for queue in queues
        ),
        *(
            Scene(f"ratings-{queue['mode']}", f"/review/{queue['id']}?tab=ratings")
            for queue in queues
            if queue["mode"] == "rank"
        ),
        Scene("compare", "/compare"),
        Scene("comparison", f"/compare/{experiment}", kept=("light", "dark")),
        Scene("comparison-flips", f"/compare/{experiment}?flips=RFT&published=table-2"),
        Scene("settings", "/settings"),
        Scene("judge", "/settings/judges/local"),
        Scene("judge-new", "/settings/judges/new"),
    ]


def _first_keys(mode: str) -> list[str]:
    return {"rate": ["7"], "verify": [], "rank": [], "pair": []}[mode]
