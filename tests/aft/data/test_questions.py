from hypothesis import given
from hypothesis import strategies as st

from aft.data.questions import QuestionIndex, normalise
from aft.data.splits import overlap


def test_spelling_variants_are_the_same_question() -> None:
    assert normalise("What's 3 + 4 ?") == normalise("what’s  3 + 4?\n")
    assert normalise("It’s ½ full") == normalise("it's ½  FULL")


def test_other_numbers_are_another_question() -> None:
    assert normalise("What is 3 - 5?") != normalise("What is 3 + 5?")


def test_duplicates_point_at_the_first_row() -> None:
    index = QuestionIndex()
    for question in ["a", "b", "a", "c", "A "]:
        index.add(question)
    found = index.duplicates()
    assert found.count == 2
    assert found.pairs == [(0, 2), (0, 4)]


def test_overlap_counts_test_rows_and_shows_some() -> None:
    found = overlap(["a", "b", "c"], ["x", "b", "b", "C"], show=2)
    assert found.count == 3
    assert found.pairs == [(1, 1), (1, 2)]


def test_nothing_overlaps_with_nothing() -> None:
    assert overlap([], ["a"]).count == 0
    assert overlap(["a"], []).count == 0
    assert QuestionIndex().duplicates().count == 0


@given(st.lists(st.text(alphabet="abc", max_size=2)), st.lists(st.text(alphabet="abc", max_size=2)))
def test_overlap_equals_the_sets(train: list[str], test: list[str]) -> None:
    assert overlap(train, test).count == sum(question in set(train) for question in test)
