"""How much a text repeats itself."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aft.metrics.repetition import repetition


def test_by_hand() -> None:
    assert repetition("a b c d e") == 0
    assert repetition("a b a b a b") == pytest.approx(1 / 3)  # abab, baba, abab
    assert repetition("x " * 100) == pytest.approx(1 - 1 / 97)
    assert repetition("a b c") is None
    assert repetition("a b a", n=1) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="at least 1"):
        repetition("a", n=0)


# A busy machine makes the first inputs slow; they are tiny.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.sampled_from("ab"), min_size=4, max_size=30), st.integers(1, 4))
def test_a_text_twice_repeats_at_least_as_much(words: list[str], n: int) -> None:
    once, twice = repetition(" ".join(words), n), repetition(" ".join([*words, *words]), n)
    assert once is not None
    assert twice is not None
    assert 0 <= once <= twice < 1
