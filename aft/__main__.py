"""``python -m aft``: the steps of the method on files, without server or database.

Sample, rate, train and evaluate; what each reads and writes is in `aft.workflow`.
"""

import argparse
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import yaml

from aft.config.sampling import SampleConfig
from aft.config.training import TrainConfig


def main(arguments: list[str]) -> int:
    """Run one step; 1 with the reason on standard error when something cannot work."""
    chosen = _parser().parse_args(arguments)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what libraries print is no part of the answer
            answer = chosen.step(chosen)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(answer) + "\n")
    return 0


def _sample(chosen: argparse.Namespace) -> dict[str, Any]:
    from aft import workflow

    config = SampleConfig(
        k=chosen.k, temperature=chosen.temperature, max_new_tokens=chosen.max_new_tokens, seed=chosen.seed
    )
    model, tokenizer = _load(chosen)
    lines = workflow.sample(model, tokenizer, workflow.read_examples(chosen.data, chosen.task), config)
    workflow.write_lines(chosen.out, lines)
    return {"candidates": len(lines), "right": sum(line.verdict == "right" for line in lines)}


def _rate(chosen: argparse.Namespace) -> dict[str, Any]:
    from aft import workflow

    examples = workflow.read_examples(chosen.data, chosen.task)
    lines = workflow.rate(workflow.read_candidates(chosen.candidates), examples, chosen.by)
    workflow.write_lines(chosen.out or chosen.candidates, lines)
    return {"candidates": len(lines), "mean_rating": sum(line.rating or 0 for line in lines) / max(1, len(lines))}


def _train(chosen: argparse.Namespace) -> dict[str, Any]:
    from aft import workflow

    config = TrainConfig.model_validate(yaml.safe_load(chosen.config.read_text(encoding="utf-8")))
    model, tokenizer = _load(chosen)
    examples = workflow.read_examples(chosen.data, chosen.task)
    candidates = workflow.read_candidates(chosen.candidates) if chosen.candidates else []
    result = workflow.fine_tune(config, model, tokenizer, examples, candidates, directory=chosen.out)
    return {"steps": result.steps, "model": str(result.final)}


def _evaluate(chosen: argparse.Namespace) -> dict[str, Any]:
    from aft import workflow

    model, tokenizer = _load(chosen)
    examples = workflow.read_examples(chosen.data, chosen.task)
    found = workflow.evaluate(model, tokenizer, examples, max_new_tokens=chosen.max_new_tokens)
    if chosen.out:
        workflow.write_lines(chosen.out, found.predictions)
    accuracy = found.accuracy
    interval = None if accuracy is None else [accuracy.low, accuracy.high]
    return {
        "task_accuracy": accuracy and accuracy.value,
        "interval": interval,
        "questions": len(examples),
        "unparsed": found.unparsed,
        "truncated": found.truncated,
    }


def _load(chosen: argparse.Namespace) -> tuple[Any, Any]:
    from aft.models import load_model

    # A name that is no directory would be looked up on a hub, with retries for half a minute.
    if not chosen.model.is_dir():
        raise ValueError(f"There is no directory '{chosen.model}'. Give the one that holds the model's config.json.")
    return load_model(chosen.model, precision=chosen.precision, device=chosen.device)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m aft", description="The method on files, without a server.")
    steps = parser.add_subparsers(required=True, metavar="STEP")

    def step(name: str, run: Any, words: str, *, with_model: bool = True) -> argparse.ArgumentParser:
        made = steps.add_parser(name, help=words, description=words)
        made.set_defaults(step=run)
        made.add_argument("--data", type=Path, required=True, help="questions in any published form, or JSON lines")
        made.add_argument("--task", help="gsm8k, aqua, ecqa, mmlu, math or arithmetic, where the file does not tell")
        if with_model:
            made.add_argument("--model", type=Path, required=True, help="directory of a model")
            made.add_argument("--device", default="cpu", help="cpu (default) or cuda")
            made.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
        return made

    sampling = step("sample", _sample, "sample candidate COTs")
    sampling.add_argument("--out", type=Path, required=True, help="candidates file to write")
    sampling.add_argument("--k", type=int, default=6, help="candidates of each question (6)")
    sampling.add_argument("--temperature", type=float, default=1.0)
    sampling.add_argument("--max-new-tokens", type=int, default=512)
    sampling.add_argument("--seed", type=int, default=0)
    rating = step("rate", _rate, "rate candidates", with_model=False)
    rating.add_argument("candidates", type=Path, help="candidates file")
    rating.add_argument("--by", choices=["answer", "oracle"], default="answer", help="oracle: arithmetic task only")
    rating.add_argument("--out", type=Path, help="file to write; by default the same")
    training = step("train", _train, "train one method")
    training.add_argument("--config", type=Path, required=True, help="YAML of aft.config.training.TrainConfig")
    training.add_argument("--candidates", type=Path, help="rated candidates; not needed for VFT")
    training.add_argument("--out", type=Path, required=True, help="directory for checkpoints and the finished model")
    evaluation = step("evaluate", _evaluate, "answer questions greedily and grade the answers")
    evaluation.add_argument("--max-new-tokens", type=int, default=512)
    evaluation.add_argument("--out", type=Path, help="file for every answer")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
