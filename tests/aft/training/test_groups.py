"""Groups made of stored rows."""

import pytest

from aft.training.groups import (
    CandidateRecord,
    Group,
    QuestionRecord,
    TrainingCandidate,
    has_pairs,
    is_lowest,
    make_groups,
)


def question(*candidates: CandidateRecord, name: str = "q") -> QuestionRecord:
    return QuestionRecord(name, [1, 2], [3], candidates)


def test_rows_become_groups_in_order() -> None:
    records = [
        question(CandidateRecord([5, 6], "a", 1.0), CandidateRecord([7], "b", 0.0, True, -0.5), name="x"),
        question(name="y"),
    ]
    assert make_groups(records) == [
        Group("x", (1, 2), (3,), (TrainingCandidate((5, 6), 1.0), TrainingCandidate((7,), 0.0, -0.5, True))),
        Group("y", (1, 2), (3,)),
    ]


def test_equal_texts_count_once() -> None:
    candidates = [
        CandidateRecord([5], "one  step", 1.0),
        CandidateRecord([6], "one step ", 0.0),
        CandidateRecord([7], "x", 0.0),
    ]
    (group,) = make_groups([question(*candidates)])
    assert [candidate.ids for candidate in group.candidates] == [(5,), (7,)]
    (all_of_them,) = make_groups([question(*candidates)], deduplicate_texts=False)
    assert len(all_of_them.candidates) == 3


def test_of_equal_texts_the_complete_one_stays() -> None:
    (group,) = make_groups(
        [question(CandidateRecord([5], "same", 0.0, truncated=True), CandidateRecord([5, 2], "same", 1.0))]
    )
    assert group.candidates == (TrainingCandidate((5, 2), 1.0),)


def test_one_candidate_for_every_list_of_equations_and_none_with_a_wrong_one() -> None:
    candidates = [
        CandidateRecord([5], "2 + 3 = 5, so 6", 0.0),
        CandidateRecord([6], "2 + 3 = 5", 1.0),
        CandidateRecord([7], "First 2 + 3 = 5 apples", 1.0),
        CandidateRecord([8], "3 + 2 = 5", 1.0),
        CandidateRecord([9], "2 + 2 = 5", 1.0),
    ]
    (group,) = make_groups([question(*candidates)], distinct_equations=True)
    assert [candidate.ids for candidate in group.candidates] == [(6,), (8,)]


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([question(), question()], "Question 'q' appears twice"),
        ([QuestionRecord("q", [], [3])], "Question 'q' has an empty prompt"),
        ([QuestionRecord("q", [1], [])], "Question 'q' has an empty reference"),
        ([question(CandidateRecord([], "", 0.0))], "candidate of question 'q' has no tokens"),
        ([question(CandidateRecord([1], "a", float("nan")))], "question 'q' has the rating nan"),
    ],
)
def test_unusable_rows_name_the_question(records: list[QuestionRecord], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_groups(records)


def test_pairs_and_levels_ignore_rounding() -> None:
    (tied,) = make_groups([question(CandidateRecord([1], "a", 1.0), CandidateRecord([2], "b", 1.0 + 1e-12))])
    assert not has_pairs(tied)
    (rated,) = make_groups([question(CandidateRecord([1], "a", 2.0), CandidateRecord([2], "b", 1.0))])
    assert has_pairs(rated)
    assert [is_lowest(rated, index) for index in (0, 1)] == [False, True]
    assert not has_pairs(make_groups([question()])[0])
