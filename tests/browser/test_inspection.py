"""Looking closely at COTs in a real browser: pairs, tokens, extraction and labels, β."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from aft.answers import EXTRACTOR_VERSION
from backend.db.migrate import upgrade
from backend.db.models import Candidate, Checkpoint, Experiment, LabelOverride, Regrade, RegradeChange, Run, Score
from backend.db.session import get_engine, reset_engines, transaction
from backend.services import regrading, scores, tokens
from backend.services.candidates import model_name
from backend.services.scores import ScoredRow
from tests.backend.comparing import METHODS, finished_experiment
from tests.browser.served import served

pytestmark = pytest.mark.browser
PATIENCE = 30_000


@dataclass(frozen=True, slots=True)
class Looked:
    """An experiment's fresh COTs under two models, and one question of them."""

    address: str
    experiment_id: str
    set_id: str
    models: list[str]
    names: list[str]
    example_id: int
    ids: list[int]
    """The question's COTs: right, wrong, right, wrong, and so on."""

    def url(self, view: str = "", **query: str | int) -> str:
        """A page about the set."""
        asked = "&".join(f"{name}={value}" for name, value in {"set": self.set_id, **query}.items())
        return f"{self.address}/cots/{self.experiment_id}{view}?{asked}"


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looked]:
    """A server with a finished experiment; its first question is put in order by hand."""
    directory = tmp_path_factory.mktemp("data")
    expect.set_options(timeout=PATIENCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFT_DATA_DIR", str(directory))
        reset_engines()
        upgrade()
        with transaction() as session:
            experiment = finished_experiment(session, seeds=[1], methods=METHODS[:3:2])
            found = _arranged(session, experiment)
        with served(directory) as address:
            yield Looked(address, *found)
        get_engine().dispose()
    reset_engines()


def _arranged(session: Session, experiment: Experiment) -> tuple[str, str, list[str], list[str], int, list[int]]:
    pairs = select(Candidate.run_id, Score.model_run_id).join(Candidate, Candidate.id == Score.candidate_id)
    found = session.execute(pairs.distinct().order_by(Candidate.run_id, Score.model_run_id)).all()
    set_id, models = found[0].run_id, [row.model_run_id for row in found if row.run_id == found[0].run_id][:2]
    group = session.scalars(
        select(Candidate).where(Candidate.run_id == set_id).order_by(Candidate.example_id, Candidate.sample_index)
    ).all()[:4]
    for place, candidate in enumerate(group):
        candidate.text = f"Look at {place}.\nso [ANS] {'12' if place % 2 == 0 else '13'}"
        candidate.answer, candidate.answer_rule = candidate.text[-2:], "marked"
        candidate.answer_start, candidate.answer_end = len(candidate.text) - 2, len(candidate.text)
        candidate.verdict, candidate.is_duplicate = ("right" if place % 2 == 0 else "wrong"), False
        tokens.place(session, {candidate.id: range(1, len(candidate.text) + 1)})
    session.flush()
    # Before, the wrong ones win; after, the right ones.
    for model, sign in zip(models, (1.0, -1.0), strict=True):
        rows = [
            ScoredRow(one.id, -1.0 + sign * 0.2 * (place % 2 - 0.5), len(one.text), _logprobs(len(one.text), sign))
            for place, one in enumerate(group)
        ]
        scores.record(session, model_run_id=model, by_run_id=set_id, rows=rows)
        saved = {"key": f"runs/{model}/final", "sha256": "0" * 64, "size_bytes": 1}
        session.add(Checkpoint(run_id=model, purpose="final", step=1, attempt=1, **saved))
    runs = [session.get_one(Run, model) for model in models]
    names = [model_name(run.method, run.name, run.seed) for run in runs]
    return experiment.id, set_id, models, names, group[0].example_id, [one.id for one in group]


def _logprobs(n: int, sign: float) -> bytes:
    return np.full(n, -1.0 - 0.5 * sign).astype("<f2").tobytes()


def opened(browser: Browser, url: str) -> Page:
    """A page of its own."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    return page


def choose(page: Page, label: str, name: str) -> None:
    """Take an entry of a list of choices."""
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=name, exact=True).click()


def test_pairs_before_and_after_show_which_ones_are_repaired(looked: Looked, browser: Browser) -> None:
    page = opened(browser, looked.url(question=looked.example_id, look="pairs", model=looked.models[0]))
    before = page.get_by_role("region", name=f"Pairs under {looked.names[0]}")
    cells = before.get_by_role("button")
    lost = before.get_by_role("button", name=re.compile("the wrong one wins"))
    expect(lost.first).to_be_visible()
    assert lost.count() >= 4
    expect(
        before.get_by_role("button", name="A right against B wrong: the wrong one wins, difference −0.200")
    ).to_have_count(1)
    choose(page, "After", looked.names[1])
    after = page.get_by_role("region", name=f"Pairs under {looked.names[1]}")
    expect(after.get_by_role("button", name="A right against B wrong: in order, difference +0.200")).to_have_count(1)
    expect(after.get_by_role("button")).to_have_count(cells.count())
    expect(page.get_by_role("status").filter(has_text="repaired")).to_contain_text(re.compile(r"[4-9]\d* repaired"))
    # A cell that lost is red: more red than green and blue; one in order is not.
    assert _is_red(lost.first)
    assert not _is_red(after.get_by_role("button", name=re.compile("in order")).first)
    lost.first.click()
    expect(
        page.get_by_role("region", name=re.compile("· right")).or_(page.get_by_text("· right")).first
    ).to_be_visible()
    # The address holds both models.
    page.reload()
    expect(after).to_be_visible()
    page.close()


def _is_red(cell: Locator) -> bool:
    red, green, blue = cell.evaluate(
        """element => {
            const context = document.createElement("canvas").getContext("2d");
            context.fillStyle = getComputedStyle(element).backgroundColor;
            context.fillRect(0, 0, 1, 1);
            return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }"""
    )
    return bool(red > green + 15 and red > blue + 15)


def test_worst_violations_lead_to_their_pairs(looked: Looked, browser: Browser) -> None:
    page = opened(browser, looked.url("/violations", model=looked.models[0]))
    expect(page.get_by_text(re.compile(r"pairs are in\s+the wrong order"))).to_be_visible()
    margins = page.locator("ol > li [class*=margin]").all_inner_texts()
    values = [float(text.replace("−", "-").replace("+", "")) for text in margins]
    assert values == sorted(values)
    assert values[0] < 0
    page.locator("ol > li").first.get_by_role("link").click()
    expect(page.get_by_role("region", name=re.compile("Pairs under"))).to_be_visible()
    page.close()


def test_tokens_of_two_checkpoints_and_their_difference(looked: Looked, browser: Browser) -> None:
    page = opened(browser, looked.url(question=looked.example_id, look="tokens", model=looked.models[0]))
    line = page.get_by_role("region", name="COT A", exact=True)
    expect(line.locator("[data-side=heat]").first).to_have_attribute("title", "−1.500 nats")
    choose(page, "Difference to", looked.names[1])
    expect(line.locator("[data-side=down]").first).to_have_attribute("title", re.compile("= −1.000 nats"))
    expect(line.locator("[data-side=heat]")).to_have_count(0)
    page.get_by_text("Numbers", exact=True).click()
    table = page.get_by_role("region", name="Tokens of A")
    expect(table.get_by_role("row").nth(1)).to_contain_text("−1.000")
    # What is not stored is computed on demand, by a score run.
    expect(page.get_by_role("button", name="Compute tokens").first).to_be_visible()
    page.get_by_role("button", name="Compute tokens").first.click()
    expect(page.get_by_role("status").filter(has_text="waiting for a worker").first).to_be_visible()
    with transaction() as session:
        asked = session.scalars(select(Run).where(Run.kind == "score", Run.state == "queued")).all()
        assert len(asked) == 1
    page.close()


def test_a_label_stands_beside_the_automatic_one_with_its_reason(looked: Looked, browser: Browser) -> None:
    page = opened(browser, looked.url(question=looked.example_id))
    card = page.get_by_role("article", name="COT B, wrong")
    card.get_by_role("button", name="How it was read: COT B").click()
    view = card.get_by_role("region", name="How the answer was read")
    expect(view.get_by_text("Rules tried, in their order")).to_be_visible()
    expect(view.locator("dd").nth(0)).to_have_text("13")
    view.get_by_role("button", name="Set label").click()
    with transaction() as session:
        assert session.scalars(select(LabelOverride)).all() == []
    view.get_by_label("Reason").fill("the gold answer is <b>wrong</b>")
    view.get_by_label("Your name").fill("Ann")
    view.get_by_role("button", name="Set label").click()
    expect(view.get_by_text("the gold answer is <b>wrong</b>")).to_be_visible()
    expect(card.get_by_text("Ann:")).to_be_visible()
    expect(page.get_by_role("article", name="COT B, wrong")).to_have_count(1)
    with transaction() as session:
        row = session.scalars(select(LabelOverride)).one()
        assert (row.candidate_id, row.label, row.person) == (looked.ids[1], "right", "Ann")
        assert session.get_one(Candidate, looked.ids[1]).verdict == "wrong"
    view.get_by_role("button", name="Withdraw Ann's label").click()
    expect(view.get_by_text("withdrawn")).to_be_visible()
    page.close()


def test_a_regrade_lists_what_flipped(looked: Looked, browser: Browser) -> None:
    with transaction() as session:
        sampled = session.get_one(Run, looked.set_id)
        run, _ = regrading.request(session, sampled)
        run.state = "succeeded"
        about = {"extractor_version": EXTRACTOR_VERSION, "n_candidates": 4, "n_changed": 2}
        flips = {"wrong>right": 1, "right>unparsed": 1}
        session.add(Regrade(run_id=run.id, candidates_run_id=looked.set_id, flips=flips, **about))
        session.flush()
        for candidate_id, before, after in zip(looked.ids, ("right", "wrong"), ("unparsed", "right"), strict=False):
            answer = None if after == "unparsed" else "12"
            session.add(
                RegradeChange(
                    run_id=run.id, candidate_id=candidate_id, answer=answer, answer_start=None, answer_end=None,
                    answer_rule="marked", verdict=after, verdict_before=before,
                )
            )  # fmt: skip
    page = opened(browser, looked.url("/labels"))
    expect(page.get_by_text("2 of 4 labels flip")).to_be_visible()
    listed = page.locator("ul > li", has=page.get_by_role("link"))
    flips_shown = page.get_by_role("group", name="Flip").or_(page.get_by_role("radiogroup", name="Flip"))
    flips_shown.get_by_text("wrong → right").click()
    expect(page).to_have_url(re.compile("flip=wrong"))
    expect(listed.filter(has_text="was 13")).to_have_count(1)
    expect(listed.filter(has_text="was 12")).to_have_count(0)
    listed.filter(has_text="was 13").get_by_role("link").click()
    expect(page.get_by_role("region", name="How the answer was read")).to_be_visible()
    page.close()


def test_beta_moves_the_boundary_and_what_is_under_it(looked: Looked, browser: Browser) -> None:
    page = opened(browser, looked.url("/beta", model=looked.models[1]))
    slider = page.get_by_role("slider", name="β in nats/token")
    expect(slider).to_have_attribute("aria-valuenow", "0.15")
    expect(page.get_by_role("heading", name="At β = 0.15")).to_be_visible()
    under = page.get_by_text(re.compile(r"\d+\s+of \d+ worse COTs? under the boundary"))
    counts = [_first_number(under)]
    slider.focus()
    page.keyboard.press("Home")
    expect(page.get_by_role("heading", name="At β = −0.80")).to_be_visible()
    expect(page).to_have_url(re.compile(r"beta=-0\.8"))
    counts.append(_first_number(under))
    page.keyboard.press("End")
    expect(page.get_by_role("heading", name="At β = 0.80")).to_be_visible()
    counts.append(_first_number(under))
    # A wider gap puts the boundary lower, so fewer worse COTs lie under it.
    assert counts[1] > counts[0] > counts[2]
    # The shares over the set, per constraint, and signed coefficients of each COT.
    table = page.get_by_role("table", name="What each constraint does to the worse COTs")
    expect(table.get_by_role("row").filter(has_text="boundary")).to_contain_text("%")
    page.goto(looked.url(question=looked.example_id, look="beta", model=looked.models[1], beta="0.05"))
    rows = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=re.compile("^B ")))
    expect(rows).to_have_attribute("data-under", "true")
    page.get_by_label("β (nats/token)").fill("0.5")
    expect(rows).to_have_attribute("data-under", "false")
    page.get_by_role("link", name="β explorer").or_(page.get_by_text("Under a β")).first.wait_for()
    page.close()


def _first_number(text: Locator) -> int:
    found = re.search(r"\d+", text.inner_text().replace(" ", "").replace(" ", ""))
    assert found is not None
    return int(found.group())
