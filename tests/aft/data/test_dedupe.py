from hypothesis import given
from hypothesis import strategies as st

from aft.data.dedupe import deduplicate


def test_repeats_point_at_the_first_equal_text() -> None:
    assert deduplicate(["a b", "c", "a  b\n", "a b "]) == [None, None, 0, 0]


def test_case_and_order_of_words_matter() -> None:
    assert deduplicate(["a b", "A b", "b a"]) == [None, None, None]


@given(st.lists(st.text(alphabet="ab \n", max_size=4)))
def test_first_texts_are_all_different(texts: list[str]) -> None:
    found = deduplicate(texts)
    kept = [" ".join(text.split()) for text, earlier in zip(texts, found, strict=True) if earlier is None]
    assert len(set(kept)) == len(kept)
    assert all(" ".join(texts[i].split()) == " ".join(texts[e].split()) for i, e in enumerate(found) if e is not None)
