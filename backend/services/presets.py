"""The presets with their published values, ids resolved for this installation."""

from sqlalchemy.orm import Session

from aft.config.grid import BUILTIN
from aft.paper import SOURCE, get_column
from aft.paper.preset import Preset, mini_spec, paper_spec
from aft.paper.presets import PRESETS, get_preset
from backend.errors import NotFound
from backend.schemas.presets import PresetRead, PublishedTable, PublishedValue
from backend.services import experiments


def read_all(session: Session) -> list[PresetRead]:
    """Every preset."""
    return [_read(session, preset) for preset in PRESETS]


def get(name: str) -> Preset:
    """A preset by name.

    Raises:
        NotFound: If there is none.
    """
    try:
        return get_preset(name)
    except KeyError as error:
        raise NotFound(str(error.args[0]), remedy="GET /presets lists them.") from None


def _read(session: Session, preset: Preset) -> PresetRead:
    full = paper_spec(preset, dataset_version_id=BUILTIN, base_model_id=BUILTIN)
    return PresetRead(
        name=preset.name,
        title=preset.title,
        paper=preset.paper,
        look_at=preset.look_at,
        miniature=preset.miniature,
        published=[_published(key) for key in preset.published],
        published_source=SOURCE,
        mini=experiments.resolve(session, mini_spec(preset)),
        full=experiments.resolve(session, full),
    )


def _published(key: str) -> PublishedTable:
    column = get_column(key)
    assert column is not None, key  # a test looks up every preset's
    values = [
        PublishedValue(method=method, metric=metric, mean=value.mean, std=value.std)
        for method, metrics in column.values.items()
        for metric, value in metrics.items()
    ]
    return PublishedTable(key=key, title=column.title, values=values)
