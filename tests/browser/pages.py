"""Every page of a filled installation, by name, for tests that look at all of them."""

from tests.browser.filled import MODES, Filled


def addresses(filled: Filled, queues: dict[str, str]) -> dict[str, str]:
    """Paths of all pages and of their views.

    Args:
        filled: What is in the installation.
        queues: Ids of the review queues by mode.
    """
    experiment, example = filled.experiment_id, filled.example_id
    model, other = filled.model_ids[:2]
    cots = f"/cots/{experiment}?set={filled.set_id}&model={model}&question={example}"
    of_set = f"set={filled.set_id}&model={model}&against={other}"
    return {
        "home": "/",
        "guide": "/how-it-works",
        "data sets": "/datasets",
        "data set": f"/datasets/{filled.dataset_id}",
        "upload": "/datasets/new",
        "models": "/models",
        "experiments": "/experiments",
        "new experiment": "/experiments/new",
        "the paper": "/experiments/paper",
        "experiment": f"/experiments/{experiment}",
        "runs": "/runs",
        "run": f"/runs/{filled.train_id}",
        "failed run": f"/runs/{filled.failed_id}",
        "waiting run": f"/runs/{filled.waiting_id}",
        "candidate sets": "/cots",
        "COTs": cots,
        "list of COTs": f"{cots}&view=cots",
        "pairs": f"{cots}&look=pairs&against={other}",
        "tokens": f"{cots}&look=tokens&against={other}",
        "diff": f"{cots}&look=diff",
        "β of a question": f"{cots}&look=beta",
        "violations": f"/cots/{experiment}/violations?{of_set}",
        "β explorer": f"/cots/{experiment}/beta?{of_set}",
        "labels": f"/cots/{experiment}/labels?{of_set}",
        "import of COTs": "/cots/import",
        "queues": "/review",
        "new queue": "/review/new",
        "queue": f"/review/{queues['rate']}",
        **{f"agreement, {mode}": f"/review/{queues[mode]}?tab=agreement" for mode in MODES},
        "ratings": f"/review/{queues['rank']}?tab=ratings",
        **{f"session, {mode}": f"/review/{queues[mode]}/session" for mode in MODES},
        "choice of a comparison": "/compare",
        "comparison": f"/compare/{experiment}?flips=RFT",
        "settings": "/settings",
        "new judge": "/settings/judges/new",
        "judge": "/settings/judges/main",
        "expired link": "/expired",
        "no such page": "/nothing/here",
        "no such run": "/runs/0000",
    }
