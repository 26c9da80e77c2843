"""Reading replies strictly."""

import pytest

from aft.judge.reply import Unreadable, find_step, parse_reply


@pytest.mark.parametrize(
    ("ending", "rating"),
    [
        ("Rating: 7", 7),
        ("rating: 10", 10),
        ("**Rating:** 8", 8),
        ("**Rating: 8**", 8),
        ("Rating: 8/10", 8),
        ("Rating: 3.", 3),
        ("Final rating: 4\n\n", 4),
        ("### Rating: [[5]]", 5),
        ("Rating: 7\nRating: 7", 7),
    ],
)
def test_rating_is_the_last_line(ending: str, rating: int) -> None:
    verdict = parse_reply(f"Step 1 is right.\n{ending}")
    assert verdict.rating == rating
    assert verdict.evidence == "Step 1 is right."


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ("", "no line with a rating"),
        ("It is very good, 9 of 10.", "no line with a rating"),
        ("Rating: 7", "no evidence"),
        ("---\nRating: 7", "no evidence"),
        ("Fine.\nRating: 11", "not from 1 to 10"),
        ("Fine.\nRating: 0", "not from 1 to 10"),
        ("Fine.\nRating: 7.5", "no whole number"),
        ("Fine.\nRating: seven", "no whole number"),
        ("Fine.\nRating: 7 or 8", "no whole number"),
        ("Fine.\nRating: -7", "no whole number"),
        ("Fine.\nRating: 7/9", "no whole number"),
        ("Fine.\nRating: 7\nBut then again.", "not its last line"),
        ("Fine.\nRating: 7\nHm.\nRating: 3", "different ratings"),
        ("Rating: 7\nStep 1 is right.", "not its last line"),
    ],
)
def test_nonsense_is_no_rating(reply: str, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        parse_reply(reply)


def test_wrong_steps_are_read_and_found() -> None:
    reply = 'Step 1 is right.\n- **Wrong step:** "7 + 5 =  13 ." It is 12.\nWrong step: 2 * 2 = 5\nRating: 8'
    verdict = parse_reply(reply)
    assert verdict.wrong_steps == ('7 + 5 =  13 ." It is 12.', "2 * 2 = 5")
    candidate = "Tom : 7 + 5 = 13 . So 2 * 2 =\n5 is it"
    assert find_step("7 + 5 =  13 .", candidate) == (6, 18)
    span = find_step("2 * 2 = 5.", candidate)
    assert span is not None
    assert candidate[slice(*span)] == "2 * 2 =\n5"
    assert find_step("not there", candidate) is None
    assert find_step(" ", candidate) is None


def test_a_hostile_reply_costs_little() -> None:
    for text in ("Rating: " * 200_000, "Wrong step: " + "x " * 500_000, "\n" * 1_000_000, "*" * 1_000_000):
        with pytest.raises(Unreadable):
            parse_reply(text)
