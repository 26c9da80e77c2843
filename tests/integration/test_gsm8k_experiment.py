"""A data set in GSM8K's form goes the whole way: upload, tiny model, experiment, charts.

Once as `make up` starts it, and once on PostgreSQL and Redis, by the same code. On real questions a tiny model's
accuracy stays near zero; here every answer is the same, so that it samples right COTs as well as wrong ones.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.backend.importing import jsonl
from tests.integration.product import SignedIn, running
from tests.waiting import wait_until

ANSWER = "7 + 0 = <<7+0=7>>7\n#### 7"
METHODS = ["VFT", "RFT", "AFT · boundary"]
FINISHED = {"succeeded", "failed", "cancelled"}


@pytest.fixture(params=["embedded", pytest.param("servers", marks=[pytest.mark.postgres, pytest.mark.redis])])
def data(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where an empty installation keeps its files; on servers, with a database and a broker to itself."""
    if request.param == "embedded":
        return Path(request.getfixturevalue("data_directory"))
    request.getfixturevalue("postgres_database")
    monkeypatch.setenv("AFT_BROKER_URL", request.getfixturevalue("redis_url"))
    return tmp_path / "data"


def test_uploaded_questions_end_in_charts(data: Path) -> None:
    with running(data, slots=2) as product:
        web = SignedIn(product.said(r"http://\S+/login\?token=\S+"))
        try:
            version_id, split_id = upload(web)
            experiment = start(web, version_id, split_id)
            wait_until(lambda: has_ended(web, experiment), "the experiment ends", 240)
            check_runs(web, experiment)
            check_comparison(web, experiment)
            check_candidates(web, experiment)
        finally:
            web.close()


def questions(count: int, first: int) -> list[dict[str, str]]:
    """Rows in the published form."""
    return [
        {"question": f"Ann has {n} apples. How many days has a week?", "answer": ANSWER}
        for n in range(first, first + count)
    ]


def upload(web: SignedIn) -> tuple[str, str]:
    """Import two files in the published form and split them."""
    files = []
    for name, rows in (("train.jsonl", questions(24, 0)), ("test.jsonl", questions(16, 40))):
        kept = web.post("/uploads", content=jsonl(rows), filename=name)
        assert kept["detection"]["task"] == "gsm8k", kept
        previewed = web.post(f"/uploads/{kept['id']}/preview", {})
        assert previewed["rows"][0]["gold"] == "7"
        files.append({"upload_id": kept["id"]})
    asked = web.post("/imports", {"dataset_name": "GSM8K", "task": "gsm8k", "files": files})
    ended(web, asked["run_id"], "the import")
    spec = {"train": 20, "validation": 4, "test": 12, "seed": 0}
    split = web.post(f"/dataset-versions/{asked['version_id']}/splits", {"spec": spec})
    assert split["counts"] == {"train": 20, "validation": 4, "test": 12}
    return asked["version_id"], split["id"]


def start(web: SignedIn, version_id: str, split_id: str) -> str:
    """Make a tiny model's entry, plan, and press Start twice."""
    sizes = {"hidden_size": 32, "layers": 1, "heads": 1, "mlp_size": 64, "vocab_size": 300, "window": 256}
    tiny = web.post(
        "/models/tiny",
        {"name": "Tiny", "dataset_version_id": version_id, "split_id": split_id, "sizes": sizes},
    )
    ended(web, tiny["run_id"], "making the model")
    spec = {
        "name": "Whole way",
        "dataset_version_id": version_id,
        "split_id": split_id,
        "base_model_id": tiny["model_id"],
        "methods": [
            {"name": "vft"},
            {"name": "rft"},
            {"name": "aft", "constraint": "boundary"},
        ],
        "seeds": [1],
        "k": 8,
        "temperature": 1.4,
        "max_new_tokens": 24,
        "max_length": 224,
        "optimizer": {"epochs": 25, "learning_rate": 1e-2},
        "evaluations_per_run": 1,
        "assessment_questions": 4,
        "assessment_samples": 6,
    }
    plan = web.post("/experiments/plan", spec)
    assert plan["can_start"], plan["warnings"]
    press = {"spec": spec, "request_id": "pressed-once"}
    first, second = web.post("/experiments", press), web.post("/experiments", press)
    assert first["id"] == second["id"]
    assert len(first["cells"]) == len(plan["nodes"])
    return str(first["id"])


def ended(web: SignedIn, run_id: str, what: str) -> None:
    """Wait for a run, which must succeed."""
    wait_until(lambda: web.get(f"/runs/{run_id}")["state"] in FINISHED, f"{what} ends", 120)
    run = web.get(f"/runs/{run_id}")
    assert run["state"] == "succeeded", run["error"]


def has_ended(web: SignedIn, experiment_id: str) -> bool:
    return all(cell["state"] in FINISHED for cell in web.get(f"/experiments/{experiment_id}")["cells"])


def check_runs(web: SignedIn, experiment_id: str) -> None:
    """Every run succeeds; the methods share VFT and its candidates."""
    cells = {cell["cell"]: cell for cell in web.get(f"/experiments/{experiment_id}")["cells"]}
    assert {name: cell["error_title"] for name, cell in cells.items() if cell["state"] != "succeeded"} == {}
    assert sum(name.endswith("/VFT/train") for name in cells) == 1
    assert sum(name.endswith("/candidates") for name in cells) == 1


def check_comparison(web: SignedIn, experiment_id: str) -> None:
    """Measured numbers are numbers with their n, and what was not measured is missing, not 0."""
    rows = {row["method"]: row for row in web.get(f"/experiments/{experiment_id}/comparison")["rows"]}
    assert list(rows) == METHODS
    vft = rows["VFT"]["statistics"]["task_accuracy"]
    assert vft["n"] == 1
    assert 0 <= vft["mean"] <= 1
    for name in ("task", "assessment", "perplexity", "scatter"):
        figure: dict[str, Any] = web.get(f"/experiments/{experiment_id}/figures/{name}")
        assert figure["figure"]["data"]
        assert len(figure["rows"]) >= len(METHODS)


def check_candidates(web: SignedIn, experiment_id: str) -> None:
    """The sampled COTs can be looked at by question."""
    sets = web.get(f"/experiments/{experiment_id}/candidate-sets")["sets"]
    sampled = next(item for item in sets if item["purpose"] == "training")
    assert sampled["counts"]["all"] == 20 * 8
    listed = web.get(f"/candidate-sets/{sampled['run_id']}/questions")["items"]
    assert len(listed) == 20
