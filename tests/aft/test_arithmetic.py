"""The built-in task: its problems, corpus and oracle."""

from collections import Counter
from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aft.arithmetic import (
    HOMES,
    SEP,
    SPECIAL_TOKENS,
    VOCABULARY,
    Problem,
    canonical_form,
    generate_problem,
    home,
    make_examples,
    oracle_rating,
    parse_question,
    pretraining_rows,
)
from aft.arithmetic.corpus import write_steps
from aft.arithmetic.problems import Relation

QUESTION = (
    "Ann has 7 apples . Tom has 5 more than Ann . Joe has 2 times as many as Tom ."
    " How many apples do Tom and Joe have together ?"
)
COT = "Tom : 7 + 5 = 12 . Joe : 12 * 2 = 24 . total : 12 + 24 = 36 ."


def test_vocabulary_has_107_distinct_tokens_and_starts_with_the_special_ones() -> None:
    assert len(VOCABULARY) == len(set(VOCABULARY)) == 107
    assert VOCABULARY[:5] == SPECIAL_TOKENS == ("<pad>", "<bos>", "<eos>", "<sep>", "<unk>")
    assert all(token.split() == [token] for token in VOCABULARY)


def test_a_problem_is_worked_out_by_hand() -> None:
    problem = parse_question(QUESTION)
    assert problem == Problem(
        ("Ann", "Tom", "Joe"), "apples", 7, (Relation(0, "+", 5), Relation(1, "*", 2)), "total", (1, 2)
    )
    assert problem.values == (7, 12, 24)
    assert problem.answer == 36
    assert " ".join(map(str, problem.steps)) == COT


@pytest.mark.parametrize("seed", range(5))
def test_questions_are_read_back_and_only_needed_steps_are_written(seed: int) -> None:
    rng = Random(seed)
    for _ in range(100):
        problem = generate_problem(rng)
        assert parse_question(problem.question) == problem
        assert len(problem.steps) in (2, 3)
        assert all(0 < value <= 40 for value in problem.values)
        assert 0 < problem.answer <= 60
        assert sum(step.label in problem.question for step in problem.steps) <= 2


def test_canonical_form_forgets_names_the_object_and_the_order_of_parallel_sentences() -> None:
    one = "Ann has 7 apples . Tom has 5 more than Ann . Joe has 2 times as many as Ann . How many apples do {} ?"
    other = "Kim has 7 pens . Eva has 2 times as many as Kim . Leo has 5 more than Kim . How many pens do {} ?"
    assert canonical_form(one.format("Tom and Joe have together")) == canonical_form(
        other.format("Eva and Leo have together")
    )
    assert canonical_form(one.format("Ann and Tom have together")) != canonical_form(
        other.format("Kim and Eva have together")
    )


def test_canonical_form_keeps_what_a_chain_is_built_on() -> None:
    chain = "Ann has 7 apples . Tom has 5 more than Ann . Joe has 2 more than {} . How many apples does Joe have ?"
    assert canonical_form(chain.format("Tom")) != canonical_form(chain.format("Ann"))


def test_parts_share_no_problem_whatever_the_seeds() -> None:
    forms = {
        part: {canonical_form(example.question) for seed in range(2) for example in make_examples(part, 60, seed)}
        for part in ("train", "validation", "test")
    }
    forms["base"] = {
        canonical_form(row.split(f" {SEP} ")[0]) for row in pretraining_rows(0, 1500) if row.split()[1] == "has"
    }
    for part, own in forms.items():
        assert {home(form) for form in own} <= HOMES[part]
        for other, theirs in forms.items():
            assert part == other or not own & theirs


def test_homes_share_out_all_ten() -> None:
    assert sorted(number for homes in HOMES.values() for number in homes) == list(range(10))


def test_examples_are_repeatable_distinct_and_a_prefix_of_larger_sets() -> None:
    examples = make_examples("train", 60, 3)
    assert examples == make_examples("train", 100, 3)[:60]
    assert examples != make_examples("train", 60, 4)
    assert len({example.question for example in examples}) == len({example.id for example in examples}) == 60
    assert {(example.task, example.part) for example in examples} == {("arithmetic", "train")}
    assert not any("[ANS]" in example.reference for example in examples)


def test_references_are_flawless_and_written_with_known_tokens() -> None:
    for example in make_examples("validation", 100, 0):
        response = f"{example.reference} [ANS] {example.answer}"
        rating = oracle_rating(example.question, response)
        assert (rating.rating, rating.wrong_steps, rating.answer_right) == (10, (), True)
        assert set(f"{example.question} {response}".split()) <= set(VOCABULARY)


def test_the_task_has_the_published_mix_of_lengths() -> None:
    examples = make_examples("test", 300, 0)
    question = sum(len(example.question.split()) + 2 for example in examples) / 300
    cot = sum(len(example.reference.split()) + 3 for example in examples) / 300
    two_steps = sum(example.reference.count("=") == 2 for example in examples) / 300
    assert 30 < question < 33
    assert 21 < cot < 23
    assert 0.53 < two_steps < 0.67


@pytest.mark.parametrize(("part", "n"), [("tests", 1), ("train", -1)])
def test_impossible_examples_are_refused(part: str, n: int) -> None:
    with pytest.raises(ValueError, match=str(n) if n < 0 else part):
        make_examples(part, n, 0)


def test_the_base_corpus_has_its_three_kinds_of_rows() -> None:
    rows = list(pretraining_rows(0, 1000))
    kinds = Counter("equations" if "has" not in row else "cot" if f" {SEP} " in row else "question" for row in rows)
    assert abs(kinds["equations"] / 1000 - 0.15) < 0.04
    assert abs(kinds["question"] / 1000 - 0.05) < 0.03
    assert set(" ".join(rows).split()) <= set(VOCABULARY)
    assert rows == list(islice(pretraining_rows(0), 1000))
    assert rows != list(pretraining_rows(1, 1000))


def test_equations_of_the_base_corpus_are_true() -> None:
    for row in pretraining_rows(0, 100, equation_share=1.0, bare_problem_share=0.0):
        for equation in row.split(" . "):
            left, operator, right, _, result = equation.removesuffix(" .").split()
            value = {"+": int(left) + int(right), "-": int(left) - int(right), "*": int(left) * int(right)}[operator]
            assert value == int(result)


def test_without_corruption_the_base_corpus_is_flawless_and_with_it_seldom() -> None:
    def ratings(**shares: float) -> list[int]:
        rows = pretraining_rows(0, 300, equation_share=0.0, bare_problem_share=0.0, **shares)
        return [oracle_rating(*row.split(f" {SEP} ")).rating for row in rows]

    assert set(ratings(corrupted_share=0.0, slip_share=0.0)) == {10}
    assert sum(rating == 10 for rating in ratings()) / 300 < 0.1


def test_corrupted_steps_calculate_correctly() -> None:
    for row in pretraining_rows(
        0, 300, equation_share=0.0, bare_problem_share=0.0, corrupted_share=1.0, slip_share=0.0
    ):
        for step in row.split(f" {SEP} ")[1].split(" . ")[:-1]:
            _, _, left, operator, right, _, result = step.split()
            value = {"+": int(left) + int(right), "-": int(left) - int(right), "*": int(left) * int(right)}[operator]
            assert value == int(result)


@pytest.mark.parametrize("name", ["equation_share", "bare_problem_share", "corrupted_share", "slip_share"])
def test_a_share_outside_0_to_1_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is 1.5"):
        pretraining_rows(0, **{name: 1.5})  # type: ignore[arg-type]


def test_steps_are_written_in_every_valid_order_with_commuted_operands() -> None:
    question = "Ann has 7 pens . Tom has 5 more than Ann . Joe has 2 fewer than Ann . How many pens do {} ?"
    problem = parse_question(question.format("Tom and Joe have together"))
    rng = Random(0)
    written = {" ".join(map(str, write_steps(problem, rng))) for _ in range(100)}
    assert len(written) == 2 * 2 * 2
    assert {oracle_rating(problem, f"{cot} [ANS] 17").rating for cot in written} == {10}


@pytest.mark.parametrize(
    ("response", "rating", "wrong", "missing", "right"),
    [
        (f"{COT} [ANS] 36", 10, [], 0, True),
        ("Tom : 5 + 7 = 12 . Joe : 2 * 12 = 24 . total : 24 + 12 = 36 . [ANS] 36", 10, [], 0, True),
        (f"{COT} [ANS] 35", 9, [], 0, False),
        (COT, 9, [], 0, False),
        ("[ANS] 36", 7, [], 3, True),
        ("", 6, [], 3, False),
        # A wrong first step: what follows from it is wrong as well.
        (
            "Tom : 7 - 5 = 2 . Joe : 2 * 2 = 4 . total : 2 + 4 = 6 . [ANS] 6",
            6,
            ["Tom : 7 - 5 = 2 .", "Joe : 2 * 2 = 4 .", "total : 2 + 4 = 6 ."],
            0,
            False,
        ),
        # A slip in the last step only.
        (
            "Tom : 7 + 5 = 12 . Joe : 12 * 2 = 24 . total : 12 + 24 = 37 . [ANS] 37",
            8,
            ["total : 12 + 24 = 37 ."],
            0,
            False,
        ),
        # Right by luck: two errors that cancel out.
        ("Tom : 7 + 5 = 12 . total : 30 + 6 = 36 . [ANS] 36", 8, ["total : 30 + 6 = 36 ."], 1, True),
        # A value that is used before it is derived.
        (
            "Joe : 12 * 2 = 24 . Tom : 7 + 5 = 12 . total : 12 + 24 = 36 . [ANS] 36",
            8,
            ["Joe : 12 * 2 = 24 .", "total : 12 + 24 = 36 ."],
            0,
            True,
        ),
        # Corrected later: one wrong step, nothing missing.
        (
            "Tom : 7 + 5 = 13 . Tom : 7 + 5 = 12 . Joe : 12 * 2 = 24 . total : 12 + 24 = 36 . [ANS] 36",
            9,
            ["Tom : 7 + 5 = 13 ."],
            0,
            True,
        ),
        (f"Tom : 7 + 5 = 12 . {COT} [ANS] 36", 10, [], 0, True),
        ("Tom : 7 + 5 = 12 . . [ANS] 36", 7, ["."], 2, True),
    ],
)
def test_the_oracle_counts_wrong_and_missing_steps(
    response: str, rating: int, wrong: list[str], missing: int, right: bool
) -> None:
    found = oracle_rating(QUESTION, response)
    assert [response[start:end] for start, end in found.wrong_steps] == wrong
    assert (found.rating, found.missing_steps, found.answer_right) == (rating, missing, right)
    assert found.first_wrong_step == (found.wrong_steps[0] if wrong else None)


def test_a_right_step_that_is_not_needed_costs_nothing() -> None:
    question = "Ann has 7 pens . Tom has 5 more than Ann . Joe has 2 fewer than Ann . How many pens do Ann and {} ?"
    response = "Joe : 7 - 2 = 5 . Tom : 7 + 5 = 12 . total : 7 + 12 = 19 . [ANS] 19"
    assert oracle_rating(question.format("Tom have together"), response).rating == 10


def test_a_rating_is_never_below_1() -> None:
    assert oracle_rating(QUESTION, "no idea . " * 50).rating == 1


@pytest.mark.parametrize(
    "question",
    [
        "",
        "Natalia sold clips to 48 friends.",
        "Ann has 7 apples .",
        QUESTION.replace("Tom has", "Ann has"),
        QUESTION.replace("than Ann", "than Zoe"),
        QUESTION.replace("7", "seven"),
        QUESTION.replace("together", ""),
        QUESTION + " ?",
    ],
)
def test_a_question_of_another_task_is_refused(question: str) -> None:
    with pytest.raises(ValueError, match="no question of the built-in task"):
        oracle_rating(question, COT)


@given(st.text() | st.lists(st.sampled_from(VOCABULARY)).map(" ".join))
def test_the_oracle_survives_any_response(response: str) -> None:
    found = oracle_rating(QUESTION, response)
    assert 1 <= found.rating <= 10
    assert all(0 <= start < end <= len(response) for start, end in found.wrong_steps)


@given(st.text())
def test_any_question_is_read_or_refused(question: str) -> None:
    with pytest.raises(ValueError, match="built-in task"):
        parse_question(question)
