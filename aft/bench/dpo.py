"""Preference pairs a second: TRL's ``DPOTrainer`` on pairs, ours on the groups that hold the same pairs.

A group of 3 right and 3 wrong candidates has 9 pairs. As pairs these are 18 sequences, and TRL computes each again
under the reference model; as a group they are 6 responses behind one question, whose reference scores are computed
once.
"""

import copy
import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import torch

from aft.bench.padded import add_padded_gradient
from aft.bench.report import BenchReport, Comparison
from aft.bench.turns import Measured, take_turns
from aft.bench.workload import build_model, make_groups
from aft.config.bench import BenchConfig
from aft.config.method import MethodConfig
from aft.config.training import TrainConfig
from aft.scoring import candidate_scores
from aft.training.accumulation import add_step_gradient
from aft.training.batches import collate_groups
from aft.training.groups import Group
from aft.training.optimization import make_optimizer, update

PAIRS_PER_STEP: Final = 8
"""Pairs in a batch of TRL's trainer, its default."""

_RATE = 1e-6


def measure(config: BenchConfig, settings: TrainConfig, questions_per_pass: int) -> BenchReport:
    """Pairs a second of a pass over the same questions, optimizer steps included.

    Raises:
        ValueError: If TRL is not installed.
    """
    if importlib.util.find_spec("trl") is None:
        raise ValueError("TRL is not installed. Run: pip install 'aft-workbench[bench]', or leave --trl away.")
    model, tokenizer = build_model(config)
    groups = make_groups(config, model.get_input_embeddings().num_embeddings)
    pairs = pairs_of(groups)
    optimizer = make_optimizer(model, settings.optimizer)
    dpo = settings.model_copy(update={"method": MethodConfig(name="dpo")})

    def step(add_gradient: Callable[[], Any]) -> Measured:
        def once() -> float:
            add_gradient()
            update(model, optimizer, _RATE, 1.0)
            return float(len(pairs))

        return once

    boundary, ours = collate_groups(groups, settings), collate_groups(with_reference_scores(model, groups), dpo)
    with tempfile.TemporaryDirectory(prefix="aft-bench-") as directory:
        timings = take_turns(
            {
                "TRL DPO": trl_steps(model, tokenizer, pairs, config, directory),
                "padded": step(lambda: add_padded_gradient(model, groups, settings, questions_per_pass)),
                "ours": step(lambda: add_step_gradient(model, boundary, settings)),
                "ours, DPO": step(lambda: add_step_gradient(model, ours, dpo)),
            },
            rounds=config.rounds,
            device=model.device,
        )
    comparisons = [
        Comparison("ours, DPO", "TRL DPO", "DPO over groups, reference scores stored, against DPO over pairs"),
        Comparison("ours", "TRL DPO", "the boundary-constrained loss against DPO over pairs"),
        Comparison("padded", "TRL DPO", "the padded joint implementation against DPO over pairs"),
    ]
    report = BenchReport.of(config, "preference pairs", timings, comparisons)
    sequences = sum(len(each["prompt_ids"]) * 2 + len(each["chosen_ids"]) + len(each["rejected_ids"]) for each in pairs)
    tokens = sum(
        len(group.prompt_ids) + len(group.reference_ids) + sum(len(each.ids) for each in group.candidates)
        for group in groups
    )
    # Forward and backward of each, for TRL with one more forward pass under the reference model; padding left out.
    return replace(report, bound={"ratio_of_operations": (4 * sequences) / (3 * tokens)})


def pairs_of(groups: Sequence[Group]) -> list[dict[str, list[int]]]:
    """Every pair of every group as TRL's collator takes it."""
    return [
        {"prompt_ids": list(group.prompt_ids), "chosen_ids": list(better.ids), "rejected_ids": list(worse.ids)}
        for group in groups
        for better in group.candidates
        for worse in group.candidates
        if better.rating > worse.rating
    ]


def with_reference_scores(model: Any, groups: Sequence[Group]) -> list[Group]:
    """The groups with their scores under the model as it is."""
    with torch.no_grad():
        scores = candidate_scores(model, [(group.prompt_ids, [c.ids for c in group.candidates]) for group in groups])
    return [
        replace(
            group,
            candidates=tuple(
                replace(candidate, reference_score=score)
                for candidate, score in zip(group.candidates, found.tolist(), strict=True)
            ),
        )
        for group, found in zip(groups, scores, strict=True)
    ]


def trl_steps(
    model: Any, tokenizer: Any, pairs: Sequence[dict[str, list[int]]], config: BenchConfig, directory: str
) -> Measured:
    """Optimizer steps of TRL's trainer over all pairs, on a copy of the model; it may write to the directory."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    class OfTokens(DPOTrainer):  # type: ignore[misc]  # has no types
        """Takes token ids as they are."""

        def _prepare_dataset(self, dataset: Any, *args: Any) -> Any:
            return dataset

    settings = DPOConfig(
        output_dir=directory,
        per_device_train_batch_size=PAIRS_PER_STEP,
        gradient_checkpointing=False,
        max_length=None,
        use_cpu=config.device == "cpu",
        bf16=config.dtype == "bfloat16",
        report_to="none",
        seed=config.seed,
    )
    trainer = OfTokens(
        model=copy.deepcopy(model),
        ref_model=copy.deepcopy(model),
        args=settings,
        train_dataset=Dataset.from_list(list(pairs)),
        processing_class=tokenizer,
    )
    # What train() sets before its first step.
    trainer.current_gradient_accumulation_steps = 1
    optimizer = make_optimizer(trainer.model, TrainConfig(method=MethodConfig(name="dpo")).optimizer)
    batches = list(trainer.get_train_dataloader())

    def once() -> float:
        for batch in batches:
            # The copy: TRL's own bookkeeping takes entries out of a batch.
            trainer.training_step(trainer.model, dict(batch))
            update(trainer.model, optimizer, _RATE, 1.0)
        return float(len(pairs))

    return once
