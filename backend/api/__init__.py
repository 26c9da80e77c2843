"""The routers, one per noun."""

from importlib import import_module

from fastapi import APIRouter

NOUNS = (
    "system",
    "events",
    "uploads",
    "imports",
    "datasets",
    "models",
    "experiments",
    "presets",
    "reproduction",
    "comparison",
    "chosen_runs",
    "reports",
    "figures",
    "runs",
    "candidates",
    "candidate_imports",
    "saved_views",
    "inspection",
    "beta",
    "assessment",
    "reviews",
    "agreement",
    "ranking_sets",
    "rating_files",
    "judges",
    "demo",
)


def routers() -> list[APIRouter]:
    """Every router of ``/api/v1``; imported here so that a module of this package can be imported alone."""
    found = []
    for noun in NOUNS:
        router: APIRouter = import_module(f"backend.api.{noun}").router
        found.append(router)
    return found
