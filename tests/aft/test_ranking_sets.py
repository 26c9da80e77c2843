"""Ratings become qualities: combined, tied, dropped with a reason."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aft.config.ranking import RankingSetConfig
from aft.metrics import assessment_accuracy, ranking_results
from aft.ranking_sets import IN_PARTS, TOO_FEW, UNRATED, GivenRating, build_ranking, content_hash

_ids = itertools.count(1)
QUESTIONS = {1: [10, 11, 12], 2: [20, 21]}


def rated(
    candidate: int,
    value: float,
    rater: str = "Ann",
    source: str = "person",
    scale: str = "1-10",
    item_id: int | None = None,
) -> GivenRating:
    return GivenRating(next(_ids), candidate, rater, source, scale, float(value), item_id)


def qualities(ratings: list[GivenRating], **settings: object) -> dict[int, float]:
    entries, _ = build_ranking(QUESTIONS, ratings, RankingSetConfig.model_validate(settings))
    return {entry.candidate_id: entry.quality for entry in entries}


def test_mean_median_and_latest_combine_each_raters_newest() -> None:
    ratings = [rated(10, 2), rated(10, 9, "Bob"), rated(10, 4, "Cy"), rated(10, 3)]
    assert qualities(ratings) == {10: pytest.approx((3 + 9 + 4) / 3)}
    assert qualities(ratings, combine="median") == {10: pytest.approx(4)}
    assert qualities(ratings, combine="latest") == {10: pytest.approx(3)}


def test_a_decision_counts_alone_and_is_enough() -> None:
    ratings = [rated(10, 2), rated(10, 9, "Bob", "adjudication"), rated(11, 5)]
    assert qualities(ratings, min_ratings=2) == {10: 9}
    assert qualities(ratings, adjudicated_first=False)[10] == pytest.approx(5.5)


def test_only_the_raters_asked_for_count() -> None:
    ratings = [rated(10, 2), rated(10, 9, "Bob"), rated(11, 7, "gpt", "judge")]
    assert qualities(ratings, raters=["Bob"]) == {10: 9}
    assert qualities(ratings, sources=["judge"]) == {11: 7}


def test_what_is_left_out_has_a_reason() -> None:
    ratings = [rated(10, 2), rated(10, 9, "Bob"), rated(11, 3), rated(99, 3)]
    _, found = build_ranking(QUESTIONS, ratings, RankingSetConfig(min_ratings=2))
    assert found.dropped == {TOO_FEW: 1, UNRATED: 3}
    assert (found.offered, found.candidates, found.questions, found.questions_with_pairs) == (5, 1, 1, 0)
    assert found.raters == {"Ann": 1, "Bob": 1}


def test_pairs_and_ties_are_counted_within_questions() -> None:
    ratings = [rated(10, 2), rated(11, 2), rated(12, 9), rated(20, 1), rated(21, 10)]
    _, found = build_ranking(QUESTIONS, ratings, RankingSetConfig())
    assert (found.pairs, found.ties, found.questions_with_pairs) == (3, 1, 2)
    assert sum(n for *_, n in found.distribution) == 5
    assert [n for *_, n in found.distribution] == [1, 2, 0, 0, 0, 0, 0, 0, 1, 1]
    assert found.distribution[0][:2] == pytest.approx((1.0, 1.9))


def test_qualities_within_the_tolerance_are_tied_and_no_chain_joins_more() -> None:
    ratings = [rated(10, 2), rated(11, 3), rated(12, 4)]
    assert qualities(ratings, tie_tolerance=1) == {10: 2.5, 11: 2.5, 12: 4}
    assert qualities(ratings, tie_tolerance=2) == {10: 3, 11: 3, 12: 3}


def test_different_scales_need_one_to_be_chosen() -> None:
    ratings = [rated(10, 10), rated(11, 0.5, scale="verify"), rated(12, 1, "gpt", "judge", "binary")]
    with pytest.raises(ValueError, match=r"1-10, verify"):
        qualities(ratings)
    assert qualities(ratings, scale="1-10", sources=["person", "judge"]) == {10: 10, 11: 5.5, 12: 10}
    assert qualities(ratings, scale="0-1", sources=["person", "judge"]) == {10: 1, 11: 0.5, 12: 1}


def test_ranks_of_separate_items_are_not_compared() -> None:
    apart = [rated(10, 1, scale="rank", item_id=1), rated(11, 0, scale="rank", item_id=1)]
    apart += [rated(12, 1, scale="rank", item_id=2), rated(20, 1, scale="rank", item_id=3)]
    entries, found = build_ranking(QUESTIONS, apart, RankingSetConfig())
    assert [entry.candidate_id for entry in entries] == [20]
    assert found.dropped == {IN_PARTS: 3, UNRATED: 1}


def test_the_hash_is_that_of_ids_and_qualities_alone() -> None:
    one, _ = build_ranking(QUESTIONS, [rated(10, 2), rated(11, 5)], RankingSetConfig())
    same, _ = build_ranking(QUESTIONS, [rated(11, 5, "Bob"), rated(10, 2, "Cy")], RankingSetConfig())
    other, _ = build_ranking(QUESTIONS, [rated(10, 2), rated(11, 6)], RankingSetConfig())
    assert content_hash(one) == content_hash(same) != content_hash(other)


@given(st.lists(st.tuples(st.sampled_from([10, 11, 12, 20, 21]), st.integers(1, 10), st.sampled_from("ABC"))))
def test_every_cot_is_an_entry_or_dropped(rows: list[tuple[int, int, str]]) -> None:
    ratings = [rated(candidate, value, rater) for candidate, value, rater in rows]
    entries, found = build_ranking(QUESTIONS, ratings, RankingSetConfig(min_ratings=2))
    assert len(entries) + sum(found.dropped.values()) == found.offered == 5
    assert all(1 <= entry.quality <= 10 for entry in entries)


def test_order_agreement_is_assessment_accuracy_on_two_levels() -> None:
    scores, right = [[-0.3, -0.5, -0.2], [-0.1, -0.4]], [[True, False, False], [True, False]]
    questions = [list(zip(s, map(float, r), strict=True)) for s, r in zip(scores, right, strict=True)]
    (found,) = ranking_results(questions, {})
    assert found.value == assessment_accuracy(scores, right) == 0.75
    assert found.details["pairs"] == 3


def test_order_agreement_counts_ties_as_not_alike_and_needs_pairs() -> None:
    (found,) = ranking_results([[(-0.5, 1.0), (-0.5, 2.0)], [(-0.1, 3.0), (-0.9, 3.0)]], {"set": "x"})
    assert (found.value, found.n, found.details["set"]) == (0.0, 1, "x")
    (nothing,) = ranking_results([[(-0.1, 3.0)]], {})
    assert (nothing.value, nothing.n) == (None, 0)
