"""The published tables as columns that can stand beside a comparison: one model on one data set each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from aft.config.method import RANKING_METHODS, MethodConfig
from aft.paper.results import load_results

SOURCE: Final = "Making Large Language Models Better Reasoners with Alignment (Wang et al., 2023), arXiv:2309.02144"
MODELS: Final = {
    "llama-7b": "LLaMA-7B",
    "llama-13b": "LLaMA-13B",
    "llama2-7b": "LLaMA2-7B",
    "llama2-13b": "LLaMA2-13B",
}
DATA: Final = {"gsm8k": "GSM8K", "aqua": "AQUA-RAT", "ecqa": "ECQA", "mmlu": "MMLU", "gsm8k-rank": "GSM8K-RANK"}

# The paper's names, as (method, constraint, feedback, PRO's temperature).
_BINARY: Final = {
    "vft": "vft",
    "rft": "rft",
    "aft-dc": "aft:detached:binary",
    "aft-bc": "aft:boundary:binary",
}
_RANKING: Final = {
    "vft": "vft",
    "rft": "rft",
    "rrhf": "rrhf:none:ranking",
    "pro": "pro:none:ranking",
    "aft-r": "aft:none:ranking",
    "aft-rbc": "aft:boundary:ranking",
    "aft-rdc1": "aft:detached:ranking",
    "aft-rdc2": "aft:detached-lowest:ranking",
    "pro+detach": "pro:detached:ranking",
    "pro-no-temperature": "pro:none:ranking:no-temperature",
    "pro-no-temperature+detach": "pro:detached:ranking:no-temperature",
}


@dataclass(frozen=True, slots=True)
class Published:
    """A published value in this product's unit."""

    mean: float
    std: float | None


@dataclass(frozen=True, slots=True)
class PublishedColumn:
    """Published values of one model on one data set."""

    key: str
    """E.g. ``table2/llama-7b/gsm8k``."""
    title: str
    """E.g. *Table 2 · LLaMA-7B · GSM8K*."""
    values: Mapping[str, Mapping[str, Published]]
    """By method key, then metric."""


def method_key(method: MethodConfig, feedback: str) -> str:
    """What a method is called in a column.

    Settings that the paper keeps at one value (weight, what the VFT term learns) are left out.

    Args:
        method: A method of an experiment.
        feedback: The feedback that it trains on.
    """
    if method.name not in RANKING_METHODS:
        return method.name
    parts = [method.name, method.constraint, feedback]
    if not method.temperature:
        parts.append("no-temperature")
    if method.beta is not None and method.beta != 1:
        parts.append(f"{method.beta:g}")
    return ":".join(parts)


@cache
def columns() -> tuple[PublishedColumn, ...]:
    """Every published column, in the paper's order."""
    return tuple(_columns(load_results()))


def get_column(key: str) -> PublishedColumn | None:
    """The column of a key; None if there is none."""
    return next((column for column in columns() if column.key == key), None)


def highest(table: str, method: str, metric: str) -> float:
    """The largest mean that a table gives a method, over its models and data sets.

    Args:
        table: E.g. ``table1``.
        method: From `method_key`.
        metric: A metric of this product.
    """
    found = [
        column.values[method][metric].mean
        for column in columns()
        if column.key.startswith(f"{table}/") and metric in column.values.get(method, {})
    ]
    return max(found)


def _columns(tables: Mapping[str, Any]) -> Iterator[PublishedColumn]:
    for model, by_data in tables["table1"]["rows"].items():
        for data, metrics in by_data.items():
            values = {"vft": {name: _value(value) for name, value in metrics.items()}}
            yield PublishedColumn(f"table1/{model}/{data}", _title(1, model, data), values)
    for model, rows in tables["table2"]["rows"].items():
        for data in ("gsm8k", "aqua", "ecqa"):
            values = {_BINARY[name]: {"task_accuracy": _value(row[data])} for name, row in rows.items()}
            yield PublishedColumn(f"table2/{model}/{data}", _title(2, model, data), values)
    ranked = tables["table3"]["rows"]
    for model in MODELS:
        values = {_RANKING[name]: {"task_accuracy": _value(row[model])} for name, row in ranked.items()}
        yield PublishedColumn(f"table3/{model}/gsm8k-rank", _title(3, model, "gsm8k-rank"), values)
    yield PublishedColumn("table4/llama-7b/gsm8k-rank", _title(4, "llama-7b", "gsm8k-rank"), _table4(tables["table4"]))
    for data in ("gsm8k", "aqua", "ecqa", "mmlu"):
        rows = tables["table5"]["rows"]
        values = {_BINARY[name]: {"task_accuracy": _value(row[data])} for name, row in rows.items()}
        yield PublishedColumn(f"table5/llama-7b/{data}", _title(5, "llama-7b", data) + " · trained on all", values)
    for number in (8, 11):
        values = {
            _RANKING[name]: {"task_accuracy": _value(row)} for name, row in tables[f"table{number}"]["rows"].items()
        }
        key = f"table{number}/llama-7b/gsm8k-rank"
        yield PublishedColumn(key, _title(number, "llama-7b", "gsm8k-rank"), values)
    factors = tables["table10"]["rows"]
    values = {_factor_key(factor): {"task_accuracy": _value(value)} for factor, value in factors.items()}
    yield PublishedColumn("table10/llama-7b/gsm8k-rank", _title(10, "llama-7b", "gsm8k-rank"), values)


def _table4(table: Mapping[str, Any]) -> dict[str, dict[str, Published]]:
    values = {}
    for part, detached in (("without_constraint", False), ("with_constraint", True)):
        for name, row in table[part].items():
            key = _RANKING[name]
            if detached and name in {"rrhf", "pro"}:
                key = f"{name}:detached:ranking"
            values[key] = {metric: _value(value, percent=metric != "perplexity") for metric, value in row.items()}
    return values


def _factor_key(factor: str) -> str:
    value = float(factor)
    return "rrhf:none:ranking" if value == 1 else f"rrhf:none:ranking:{value:g}"


def _value(value: Any, *, percent: bool = True) -> Published:
    scale = 100 if percent else 1
    if isinstance(value, Mapping):
        return Published(value["mean"] / scale, value["std"] / scale)
    return Published(value / scale, None)


def _title(table: int, model: str, data: str) -> str:
    return f"Table {table} · {MODELS[model]} · {DATA[data]}"
