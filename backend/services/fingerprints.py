"""What makes two runs the same: kind, configuration, data, model, input runs and code version."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.orm import Session

from aft.version import VERSION
from backend.db.models import BaseModelEntry, DatasetVersion, Split

_LATER: Final[Mapping[str, Any]] = {"reference_noise": None, "epochs_factor": None, "distinct": "texts"}
"""Settings that were added when runs existed, with the value that means what the program did before it knew them: they
must not make another run of one that is finished."""


def fingerprint(
    session: Session, kind: str, config: Mapping[str, Any], inputs: Mapping[str, Any], parents: Mapping[str, str]
) -> str:
    """sha256 of everything that decides a run's result; ``parents`` are fingerprints by role."""
    known = {
        "kind": kind,
        "code": VERSION,
        "config": _without_names(config),
        "inputs": dict(inputs),
        "content": _content(session, inputs),
        "parents": dict(parents),
    }
    text = json.dumps(known, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _without_names(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration without the method's label, which changes no number, and without later settings left out."""
    plain = _without_later(config)
    if isinstance(plain.get("method"), Mapping):
        plain["method"] = {key: value for key, value in _without_later(plain["method"]).items() if key != "label"}
    return plain


def _without_later(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in _LATER or value != _LATER[key]}


def _content(session: Session, inputs: Mapping[str, Any]) -> dict[str, Any]:
    # The ids stay in the fingerprint too: stored candidates point at the examples of one version.
    content: dict[str, Any] = {}
    version = session.get(DatasetVersion, inputs.get("dataset_version_id") or "")
    if version is not None:
        content["dataset_version"] = version.sha256
    split = session.get(Split, inputs.get("split_id") or "")
    if split is not None:
        content["split"] = split.sha256
    model = session.get(BaseModelEntry, inputs.get("base_model_id") or "")
    if model is not None:
        content["base_model"] = [model.source, model.location, model.config, model.facts]
    return content
