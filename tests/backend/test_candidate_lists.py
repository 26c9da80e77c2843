"""Lists of COTs: statistics that follow every write, filters, orders, pages and text search, on both engines."""

import random
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, select, text, update
from sqlalchemy.orm import Session

from aft.config.sampling import SampleConfig
from backend.db.models import (
    Candidate,
    CandidateSet,
    CandidateSetModel,
    Example,
    QuestionScores,
    QuestionStats,
    Rating,
    RatingSummary,
)
from backend.db.session import get_engine, transaction
from backend.services import candidate_stats, candidates, ratings, scores
from backend.services.candidate_search import fts5, parse, tsquery
from backend.services.candidates import SampledRow
from backend.services.ratings import RatedRow
from backend.services.scores import ScoredRow
from tests.backend.client import client
from tests.factories import make_dataset, make_run

API = "/api/v1/candidate-sets"
QUESTIONS, PER_QUESTION = 14, 5


@dataclass(frozen=True)
class Filled:
    """A set of questions with five COTs each, scores of two models and ratings of two judges."""

    run_id: str
    models: tuple[str, str]
    judges: tuple[str, str]


@pytest.fixture
def filled(database: str) -> Filled:
    generator = random.Random(5)
    with transaction() as session:
        version_id, split_id = make_dataset(session, train=QUESTIONS)
        inputs = {"dataset_version_id": version_id, "split_id": split_id}
        config = SampleConfig().model_dump(mode="json")
        run = make_run(session, "sampled", kind="sample", config=config, inputs=inputs)
        models = [make_run(session, "a model", kind="train", method=name, seed=1) for name in ("VFT", "AFT")]
        judges = [make_run(session, name, kind="rate", parents={"candidates": run}) for name in ("first", "second")]
        query = select(Example).where(Example.version_id == version_id, Example.part == "train")
        for example in session.scalars(query.order_by(Example.position)):
            samples = [
                SampledRow(
                    example.id, index, list(range(generator.randint(1, 9))), _cot(generator, example, index),
                    generator.choice(["stop", "stop", "stop", "length"]), example.answer, None,
                )
                for index in range(PER_QUESTION)
            ]  # fmt: skip
            candidates.record(session, run_id=run.id, task="arithmetic", samples=samples)
        ids = list(session.scalars(select(Candidate.id).where(Candidate.run_id == run.id).order_by(Candidate.id)))
        for model in models:
            # Few distinct values, so that ties are many.
            rows = [ScoredRow(one, -generator.randint(1, 6) / 10, 2) for one in ids if generator.random() < 0.9]
            scores.record(session, model_run_id=model.id, by_run_id=run.id, rows=rows)
        for judge in judges:
            rated = [RatedRow(one, float(generator.randint(1, 10))) for one in ids if generator.random() < 0.6]
            ratings.record(session, run_id=judge.id, rater=judge.name, rows=rated)
        return Filled(run.id, (models[0].id, models[1].id), (judges[0].id, judges[1].id))


def _cot(generator: random.Random, example: Example, index: int) -> str:
    answer = int(example.answer) + generator.choice([0, 0, 1])
    rare = " a zebra" if index == 3 and generator.random() < 0.5 else ""
    return generator.choice([f"We add{rare}: 16-3=13, so\n[ANS] {answer}", "no end", f"Then{rare}\n[ANS] {answer}"])


def test_statistics_that_followed_the_writes_equal_those_of_a_rebuild(filled: Filled) -> None:
    with transaction() as session:
        some = list(session.scalars(select(Candidate).where(Candidate.run_id == filled.run_id).limit(20)))
        for row in some:
            row.verdict = "wrong" if row.verdict == "right" else "right"
        session.flush()
        candidate_stats.verdicts_changed(session, filled.run_id, {row.example_id for row in some})
        ids = [row.id for row in some]
        scores.record(
            session, model_run_id=filled.models[0], by_run_id=filled.run_id,
            rows=[ScoredRow(one, -0.05, 1) for one in ids],
        )  # fmt: skip
        session.execute(update(Rating).where(Rating.candidate_id.in_(ids[:10])).values(is_current=False))
        candidate_stats.ratings_changed(session, ids[:10])
        followed = _everything(session)
        candidate_stats.rebuild(session, filled.run_id)
        assert _everything(session) == followed
        assert len(followed["question_stats"]) == QUESTIONS
        assert sum(row["n_violated"] for row in followed["question_scores"]) > 0


def _everything(session: Session) -> dict[str, list[Any]]:
    session.flush()
    found = {}
    for model in (QuestionStats, QuestionScores, CandidateSet, CandidateSetModel, RatingSummary):
        rows = session.execute(select(model.__table__).order_by(*model.__table__.primary_key))
        found[model.__tablename__] = [
            {name: pytest.approx(value) if isinstance(value, float) else value for name, value in row._mapping.items()}
            for row in rows
        ]
    return found


def test_violated_pairs_and_margins_are_those_of_the_definition(filled: Filled) -> None:
    model = filled.models[0]
    with client() as web:
        rows = _all(web, filled, "questions", model=model)
        assert len(rows) == QUESTIONS
        for row in rows:
            group = web.get(f"{API}/{filled.run_id}/questions/{row['example_id']}").json()
            sides: dict[bool, list[float]] = {True: [], False: []}
            for one in group["candidates"]:
                sides[one["verdict"] == "right"] += [s["score"] for s in one["scores"] if s["model_run_id"] == model]
            assert row["n_violated"] == sum(right <= wrong for right in sides[True] for wrong in sides[False])
            margin = min(sides[True]) - max(sides[False]) if all(sides.values()) else None
            assert row["margin"] == (None if margin is None else pytest.approx(margin))


@pytest.mark.parametrize("descending", [False, True])
def test_every_order_gives_each_row_once(filled: Filled, descending: bool) -> None:
    keys = {
        "questions": {
            "position": "position", "right": "n_right", "violated": "n_violated", "margin": "margin",
            "length": "max_tokens", "rating": "rating", "disagreement": "rating_spread",
        },
        "candidates": {
            "position": "position", "length": "n_tokens", "score": "score", "rating": "rating",
            "disagreement": "spread",
        },
    }  # fmt: skip
    with client() as web:
        for what, orders in keys.items():
            everything = _all(web, filled, what, model=filled.models[1])
            for sort, key in orders.items():
                rows = _all(web, filled, what, model=filled.models[1], sort=sort, descending=descending, limit=9)
                values = [row[key] for row in rows]
                assert values == sorted(values, reverse=descending), (what, sort)
                identity = "id" if what == "candidates" else "example_id"
                wanted = {row[identity] for row in everything if row[key] is not None}
                assert sorted(row[identity] for row in rows) == sorted(wanted), (what, sort)


def test_filters_on_cots_hold_for_every_row_and_miss_none(filled: Filled) -> None:
    model = filled.models[0]
    filters: list[tuple[dict[str, Any], Any]] = [
        ({"verdict": "wrong"}, lambda row: row["verdict"] == "wrong"),
        ({"duplicate": True}, lambda row: row["is_duplicate"]),
        ({"min_tokens": 3, "max_tokens": 5}, lambda row: 3 <= row["n_tokens"] <= 5),
        ({"rated": False}, lambda row: row["rating"] is None),
        ({"min_rating": 0.5, "verdict": "right"}, lambda row: _above(row, 0.5) and row["verdict"] == "right"),
        ({"min_disagreement": 0.4}, lambda row: (row["spread"] or 0) >= 0.4),
        ({"max_score": -0.3}, lambda row: row["score"] is not None and row["score"] <= -0.3),
    ]  # fmt: skip
    with client() as web:
        everything = _all(web, filled, "candidates", model=model)
        assert len(everything) == QUESTIONS * PER_QUESTION
        for values, holds in filters:
            expected = [row["id"] for row in everything if holds(row)]
            assert 0 < len(expected) < len(everything), values
            assert [row["id"] for row in _all(web, filled, "candidates", model=model, **values)] == expected, values
        violated = _all(web, filled, "candidates", model=model, violated=True)
        in_pairs = {
            one[side]
            for question in {row["example_id"] for row in everything}
            for one in web.get(f"{API}/{filled.run_id}/questions/{question}").json()["violated_pairs"]
            if one["model_run_id"] == model
            for side in ("right_id", "wrong_id")
        }
        assert {row["id"] for row in violated} == in_pairs


@pytest.mark.parametrize("rare", [True, False])
def test_words_are_found_in_cots_and_questions(
    filled: Filled, rare: bool, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not rare:
        # Every word counts as common, so that rows are tested one by one instead of collected first.
        from backend.services import candidate_search

        def common(session: Any, among: Any, query: str) -> Any:
            found = prepare(session, among, query)
            return candidate_search.Search(
                found.run_id, found.terms, False, found.is_postgresql, found.first, found.last
            )

        prepare = candidate_search.prepare
        monkeypatch.setattr(candidate_search, "prepare", common)
    with transaction() as session:
        texts = dict(session.execute(select(Candidate.id, Candidate.text)).all())
        zebras = {one for one, said in texts.items() if "zebra" in said}
        thirteen = {one for one, said in texts.items() if "3=13" in said}
        question = session.scalars(select(Example.question).order_by(Example.id)).first()
    assert zebras
    with client() as web:
        for words, expected in (
            ("ZEBRA", zebras), ("zeb*", zebras), ('"3=13"', thirteen), ("13 zebra", zebras & thirteen),
            ("zebra -13", zebras - thirteen), ("zeb", set()), ("'; DROP TABLE candidates --", set()), ("* \" -", set()),
            ("NEAR(", set()), ("\\ ' :*", set()),
        ):  # fmt: skip
            rows = _all(web, filled, "candidates", q=words)
            assert {row["id"] for row in rows} == expected, words
        listed = _all(web, filled, "questions", q="zebra")
        assert {row["n_candidates"] for row in listed} == {PER_QUESTION}
        with transaction() as session:
            holding = set(session.scalars(select(Candidate.example_id).where(Candidate.id.in_(zebras))))
        assert {row["example_id"] for row in listed} == holding
        # In the question only.
        assert question is not None
        word = next(word for word in question.split() if len(word) > 4 and word.isalpha())
        assert _all(web, filled, "questions", q=word)


def test_the_index_follows_changes_and_deletions(filled: Filled, database: str) -> None:
    with transaction() as session:
        row = session.scalars(select(Candidate).limit(1)).one()
        row.text = "an axolotl"
        session.flush()
        other = session.scalars(select(Candidate).where(Candidate.id != row.id).limit(1)).one()
        other.text = "another axolotl"
        session.flush()
        session.delete(other)
        kept = row.id
    with client() as web:
        assert [found["id"] for found in _all(web, filled, "candidates", q="axolotl")] == [kept]
    if database == "sqlite":
        with transaction() as session:
            session.execute(text("INSERT INTO candidate_search(candidate_search) VALUES ('integrity-check')"))


@pytest.mark.parametrize(("asked", "is_narrow"), [({}, False), ({"q": "sheep"}, True), ({"max_rating": 0.01}, True)])
def test_few_rows_are_collected_and_no_index_is_walked_for_their_order(
    filled: Filled, asked: dict[str, Any], is_narrow: bool
) -> None:
    said: list[str] = []
    with client() as web:
        event.listen(get_engine(), "before_cursor_execute", lambda *call: said.append(call[2]))
        for what in ("candidates", "questions"):
            said.clear()
            web.get(f"{API}/{filled.run_id}/{what}", params=asked).raise_for_status()
            (order,) = {
                line.partition("ORDER BY ")[2]
                for line in " ".join(said).split("\n")
                if "key_0" in line or "ORDER BY " in line
            } - {""}
            assert ("example_id + " in order) == is_narrow, order


def test_all_that_pass_can_be_selected(filled: Filled) -> None:
    with client() as web:
        wanted: dict[str, Any] = {"verdict": "wrong", "min_tokens": 3}
        ids = web.get(f"{API}/{filled.run_id}/candidate-ids", params=wanted).json()
        assert ids == {"ids": [row["id"] for row in _all(web, filled, "candidates", **wanted)], "is_complete": True}


def test_a_typed_query_is_read_as_words() -> None:
    terms = parse('so "the answer is" calc* -wrong ab* "" 16-3=13 \x00')
    assert [term.words for term in terms] == [
        ("so",), ("the", "answer", "is"), ("calc",), ("ab",), ("16", "3", "13"), ("wrong",),
    ]  # fmt: skip
    assert [term.is_beginning for term in terms] == [False, False, True, False, False, False]
    assert terms[-1].excluded
    assert fts5(terms) == '"so" AND "the answer is" AND "calc"* AND "ab" AND "16 3 13" NOT "wrong"'
    assert tsquery(parse("it's -no")) == "('it' <-> 's') & !('no')"
    assert parse("-only -excluded") == ()


def test_what_cannot_be_listed_says_why(filled: Filled) -> None:
    with client() as web:
        for values in (
            {"sort": "margin"}, {"violated": True}, {"min_score": 0}, {"after": "x"}, {"after": "[1,2]"},
            {"after": '["a"]'}, {"sort": "nonsense"}, {"min_rating": 2}, {"unknown": 1},
        ):  # fmt: skip
            answer = web.get(f"{API}/{filled.run_id}/questions", params=values)
            assert answer.status_code == 422, values
            assert answer.json()["errors"], values


def test_sets_are_listed_with_the_counts_beside_the_filters(filled: Filled) -> None:
    with client() as web:
        listed = web.get(API).json()["items"]
        assert [one["run_id"] for one in listed] == [filled.run_id]
        one = web.get(f"{API}/{filled.run_id}").json()
        assert one == listed[0]
        rows = _all(web, filled, "candidates")
        assert one["counts"]["all"] == len(rows) == QUESTIONS * PER_QUESTION
        assert one["counts"]["right"] == sum(row["verdict"] == "right" for row in rows)
        assert one["counts"]["duplicate"] == sum(row["is_duplicate"] for row in rows)
        assert one["counts"]["rated"] == sum(row["rating"] is not None for row in rows)
        assert {model["model"] for model in one["models"]} == {"VFT · seed 1", "AFT · seed 1"}
        assert web.get(API, params={"kind": "import-cots"}).json()["items"] == []


def _above(row: dict[str, Any], rating: float) -> bool:
    return row["rating"] is not None and row["rating"] >= rating


def _all(web: TestClient, filled: Filled, what: str, **values: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = None
    while True:
        answer = web.get(
            f"{API}/{filled.run_id}/{what}", params={"limit": 200, **values, **({"after": after} if after else {})}
        )
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        after = answer.json()["next_after"]
        if after is None:
            return found
