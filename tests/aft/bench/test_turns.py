"""Alternatives take turns, and their medians are compared."""

import math
from typing import Any

import pytest
import torch

from aft.bench import turns
from aft.bench.turns import Timing, ratio, take_turns


def test_every_other_round_goes_backwards_and_the_first_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    spent: list[float] = []

    def doing(name: str, *seconds: float) -> Any:
        left = iter(seconds)

        def once() -> float:
            calls.append(name)
            spent.append(next(left))
            return 10.0

        return once

    monkeypatch.setattr(turns, "clock_of", lambda device: lambda: math.fsum(spent))
    alternatives = {"slow": doing("slow", 99.0, 2.0, 6.0, 4.0), "fast": doing("fast", 99.0, 1.0, 2.0, 1.0)}
    timings = take_turns(alternatives, rounds=3, device=torch.device("cpu"))
    assert calls == ["slow", "fast", "fast", "slow", "slow", "fast", "fast", "slow"]
    assert timings["slow"].seconds == (2.0, 6.0, 4.0)
    assert timings["slow"].rate == 2.5
    assert ratio(timings, "fast", "slow") == {"median": 4.0, "lowest": 2.0, "highest": 4.0}


def test_work_that_changes_between_rounds_is_refused() -> None:
    amounts = iter([5.0, 6.0])
    with pytest.raises(ValueError, match="'a' did 6 units of work after 5"):
        take_turns({"a": lambda: next(amounts)}, rounds=1, device=torch.device("cpu"))


def test_rates_count_each_alternatives_own_work() -> None:
    timings = {"many": Timing((2.0,), 40.0), "few": Timing((1.0,), 10.0)}
    assert ratio(timings, "many", "few")["median"] == 2.0
