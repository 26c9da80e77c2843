"""The plan of an experiment with several data sets or models, from the plans of its blocks."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from aft.config.experiment import ExperimentSpec
from aft.config.grid import FIRST_BLOCK, Block
from aft.config.method import method_label
from aft.config.sampling import EvaluateConfig
from backend.services.planning import PlannedRun, is_plain_vft

NAME_LENGTH: Final = 200
_BASE: Final = "base"


def join(
    spec: ExperimentSpec, plan_block: Callable[[ExperimentSpec], list[PlannedRun]], titles: Mapping[str, str]
) -> list[PlannedRun]:
    """Every block's runs, parents first, each cell with its block in front; the first block's are as if it were alone.

    A base model that has to be made is made once, whatever the number of data sets.

    Args:
        spec: The experiment, ids resolved.
        plan_block: From an experiment of one block to its runs.
        titles: Block key -> data set and model in words, for the names of runs.
    """
    runs: dict[str, PlannedRun] = {}
    for block in spec.blocks:
        alone = spec.of_block(block)
        planned = plan_block(alone) if block.trained is None else _only_tested(alone, block)
        for item in planned:
            placed = _placed(item, block, titles[block.key])
            runs.setdefault(placed.cell, placed)
    return list(runs.values())


def _only_tested(spec: ExperimentSpec, block: Block) -> list[PlannedRun]:
    """Greedy answers of another block's models; their assessment belongs to the data they were trained on."""
    assert block.trained is not None
    trained = "" if block.trained == FIRST_BLOCK else f"{block.trained}/"
    runs = []
    for order, seed in enumerate(spec.seeds):
        for method in spec.methods:
            label = method_label(method)
            config = EvaluateConfig(
                max_questions=spec.test_questions,
                max_new_tokens=spec.max_new_tokens,
                choice_likelihood=spec.choice_likelihood,
                precision=spec.precision,
                seed=seed,
            )
            inputs: dict[str, Any] = {
                "dataset_version_id": spec.dataset_version_id,
                "split_id": spec.split_id,
                "base_model_id": spec.base_model_id,
            }
            checkpoint = f"{trained}seed {seed}/{'VFT' if is_plain_vft(method) else label}/train"
            runs.append(
                PlannedRun(
                    f"seed {seed}/{label}/evaluate", "evaluate", "evaluate", f"Evaluate {label} · seed {seed}", label,
                    seed, config, inputs, {"checkpoint": checkpoint}, 100 * (order + 1) + 4,
                )
            )  # fmt: skip
    return runs


def _placed(item: PlannedRun, block: Block, title: str) -> PlannedRun:
    if block.key == FIRST_BLOCK:
        return item
    if item.cell == _BASE:
        cell, name = _base_cell(block), item.name
    else:
        cell, name = f"{block.key}/{item.cell}", f"{item.name} · {title}"[:NAME_LENGTH]
    parents = item.parents if block.trained is not None else {role: _at(c, block) for role, c in item.parents.items()}
    return replace(item, cell=cell, name=name, parents=parents, block=block.key)


def _at(cell: str, block: Block) -> str:
    return _base_cell(block) if cell == _BASE else f"{block.key}/{cell}"


def _base_cell(block: Block) -> str:
    return _BASE if block.model_number == 1 else f"m{block.model_number}/{_BASE}"
