"""Saved views: kept everywhere or for one experiment, renamed, deleted, taken back."""

from backend.db.models import Experiment
from backend.db.session import transaction
from tests.backend.client import client

API = "/api/v1/saved-views"


def test_a_view_is_kept_renamed_deleted_and_taken_back(database: str) -> None:
    with transaction() as session:
        experiment = Experiment(name="one", spec={}, spec_sha256="0" * 64)
        session.add(experiment)
        session.flush()
        experiment_id = experiment.id
    with client() as web:
        everywhere = web.post(API, json={"name": " Worst ", "query": "?violated=1&sort=margin"}).json()
        assert (everywhere["name"], everywhere["query"]) == ("Worst", "violated=1&sort=margin")
        own = web.post(API, json={"name": "Mine", "query": "", "experiment_id": experiment_id}).json()
        assert [view["name"] for view in web.get(API).json()["views"]] == ["Worst"]
        both = web.get(API, params={"experiment_id": experiment_id}).json()["views"]
        assert [view["name"] for view in both] == ["Mine", "Worst"]
        assert web.patch(f"{API}/{own['id']}", json={"name": "Ours"}).json()["name"] == "Ours"
        assert web.delete(f"{API}/{own['id']}").status_code == 204
        assert web.delete(f"{API}/{own['id']}").status_code == 404
        assert web.patch(f"{API}/{own['id']}", json={"name": "Gone"}).status_code == 404
        assert len(web.get(API, params={"experiment_id": experiment_id}).json()["views"]) == 1
        assert web.post(f"{API}/{own['id']}/restore").json()["name"] == "Ours"
        assert len(web.get(API, params={"experiment_id": experiment_id}).json()["views"]) == 2
        assert web.post(API, json={"name": "  ", "query": ""}).json()["errors"][0]["field"] == "name"
        assert web.post(API, json={"name": "x", "query": "", "experiment_id": "nothing"}).status_code == 404
        assert web.post(f"{API}/nothing/restore").status_code == 404
