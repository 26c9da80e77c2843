"""Characters replaced by full stops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aft.data.noise import NOISE, replace_characters

SHARES = st.floats(min_value=0, max_value=1)


@given(st.text(alphabet=st.characters(exclude_characters=NOISE)), SHARES, st.integers())
def test_the_share_is_replaced_and_nothing_else_changes(text: str, share: float, seed: int) -> None:
    noisy = replace_characters(text, share, seed)
    assert len(noisy) == len(text)
    assert noisy.count(NOISE) == round(share * len(text))
    assert all(new in (old, NOISE) for old, new in zip(text, noisy, strict=True))
    assert replace_characters(text, share, seed) == noisy


@given(st.text(), SHARES, SHARES, st.integers())
def test_places_of_a_smaller_share_are_among_those_of_a_larger(text: str, one: float, other: float, seed: int) -> None:
    low, high = (replace_characters(text, share, seed) for share in sorted((one, other)))
    assert all(b == NOISE for a, b in zip(low, high, strict=True) if a == NOISE)


def test_ends_of_the_range_and_the_seed() -> None:
    text = "Ann : 7 + 5 = 12 ."
    assert replace_characters(text, 0.0, 1) == text
    assert replace_characters(text, 1.0, 1) == NOISE * len(text)
    assert len({replace_characters(text, 0.4, seed) for seed in range(20)}) > 10


@pytest.mark.parametrize("share", [-0.1, 1.01, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        replace_characters("text", share, 0)
