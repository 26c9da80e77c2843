"""The report: one page that needs no network, in which no text of a model becomes markup."""

import json
import re
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from backend.db.models import Experiment
from backend.db.session import transaction
from backend.services import report_page
from tests.backend.cli import aft
from tests.backend.client import client
from tests.backend.comparing import finished_experiment


class _Page(HTMLParser):
    """Elements, their attributes, and the JSON of the figures."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.figures: dict[str, object] = {}
        self._id: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        given = dict(attrs)
        self.addresses += [value for name in ("src", "href") if (value := given.get(name)) is not None]
        self._id = given.get("id") if given.get("type") == "application/json" else None

    def handle_data(self, data: str) -> None:
        if self._id is not None:
            self.figures[self._id] = json.loads(data)
            self._id = None


@pytest.fixture
def experiment(data_directory: Path) -> Experiment:
    with transaction() as session:
        return finished_experiment(session)


def test_the_page_holds_the_table_the_figures_and_where_they_come_from(experiment: Experiment) -> None:
    with client() as web:
        options = {"published": "table1-gsm8k-7b", "test": "welch"}
        choices = web.get(f"/api/v1/experiments/{experiment.id}/comparison").json()["published_choices"]
        options["published"] = choices[0]["key"]
        answer = web.get(f"/api/v1/experiments/{experiment.id}/report.html", params=options)
        table = web.get(f"/api/v1/experiments/{experiment.id}/comparison", params=options).json()
        assert web.get(f"/api/v1/experiments/{experiment.id}/report.html?baseline=x").status_code == 422
    assert "attachment" in answer.headers["content-disposition"]
    text = answer.text
    page = _Page(text)
    boundary = next(row for row in table["rows"] if row["method"] == "AFT · boundary")["statistics"]["task_accuracy"]
    assert f"{100 * boundary['mean']:.1f} ± {100 * boundary['std']:.1f}" in text
    assert f"◆ {100 * boundary['published_mean']:.2f}" in text
    assert all(escape(note) in text for note in table["notes"])
    assert "Welch&#x27;s t-test" in text
    assert "0" * 64 in text
    assert "1" * 64 in text
    assert "seed 3/AFT · boundary/evaluate" in text
    assert {"figure-task", "figure-scores", "figure-push", "figure-calibration"} <= set(page.figures)
    assert page.tags.count("figure") == len(page.figures) >= 8


def test_the_page_asks_for_nothing_and_runs_nothing_of_a_models(experiment: Experiment) -> None:
    with client() as web:
        text = web.get(f"/api/v1/experiments/{experiment.id}/report.html").text
    page = _Page(text)
    assert all(address.startswith("#") for address in page.addresses)
    assert "default-src &#x27;none&#x27;" in text
    assert "img" not in page.tags
    assert "<b>losses" not in text
    # Plotly and the lines that call it; the rest is data.
    assert len(re.findall("<script>", text)) == 2
    assert "window.hacked" not in re.sub(r"&lt;.*?&gt;", "", text)


def test_figure_data_cannot_end_its_script() -> None:
    held = report_page.script_json({"name": "</script><!--&amp;\u2028"})
    assert not set("<>&\u2028") & set(held)
    assert json.loads(held) == {"name": "</script><!--&amp;\u2028"}


def test_an_experiment_without_results_has_a_report_that_says_so(data_directory: Path) -> None:
    from backend.services import experiments
    from tests.backend.comparing import spec_of

    with transaction() as session:
        experiment_id = experiments.start(session, spec_of(session), request_id=None).id
    with client() as web:
        text = web.get(f"/api/v1/experiments/{experiment_id}/report.html").text
    assert "No method has been evaluated beside the baseline." in text
    assert "seed 1: waiting" in text


def test_questions_are_opened_for_print(experiment: Experiment) -> None:
    with client() as web:
        text = web.get(f"/api/v1/experiments/{experiment.id}/report.html").text
    assert "<details class='question'><summary>Fixed: " in text
    assert 'querySelectorAll("details.question")' in text
    assert '<th scope="col" class="words">In words</th>' in text


def test_the_command_writes_the_same_page(experiment: Experiment, tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    assert "report.html" in aft("experiments", "report", experiment.id, str(place), "--test", "welch")
    assert "Welch" in place.read_text()
    assert "exists already" in aft("experiments", "report", experiment.id, str(place), status=1)
    assert "There is no experiment" in aft("experiments", "report", "nothing", str(tmp_path / "x"), status=1)
    assert not (tmp_path / "x").exists()


def test_the_command_writes_the_table_that_the_page_gives(experiment: Experiment, tmp_path: Path) -> None:
    with client() as web:
        for ending in ("csv", "tex"):
            place = tmp_path / f"table.{ending}"
            aft("experiments", "table", experiment.id, str(place), "--test", "mcnemar", "--seed", "2")
            url = f"/api/v1/experiments/{experiment.id}/comparison.{ending}"
            assert place.read_bytes().decode() == web.get(url, params={"test": "mcnemar", "seed": 2}).text
    assert "no method 'x'" in aft(
        "experiments", "table", experiment.id, str(tmp_path / "x.csv"), "--baseline", "x", status=1
    )
