"""Every number of a bundle made again from the stored candidates: responses graded, evaluations measured, tables built.

By ``aft.metrics`` and by the very functions that the product builds its tables with.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aft.answers import EXTRACTOR_VERSION, judge
from aft.config.experiment import ExperimentSpec
from aft.config.grid import FIRST_BLOCK
from aft.config.method import method_label
from aft.config.sampling import EvaluateConfig
from aft.data.dedupe import deduplicate
from aft.metrics import (
    Measured,
    Path,
    ScoredQuestion,
    assessment_results,
    choice_results,
    greedy_results,
    path_results,
    ranking_results,
    with_tasks,
)
from backend.schemas.comparison import Comparison, ComparisonOptions
from backend.services import blocks, chosen_table, comparison_table, outcomes
from backend.services.bundle_archive import Bundle, BundleRefused
from backend.services.bundle_found import Difference, Verification
from backend.services.outcomes import AssessedQuestion


@dataclass(frozen=True, slots=True)
class _Question:
    position: int
    gold: str
    choices: tuple[str, ...] | None
    task: str | None
    """Its own task where the data set is mixed."""


@dataclass(frozen=True, slots=True)
class _Response:
    id: int
    question: int
    verdict: str
    answer: str | None
    truncated: bool
    is_repeat: bool


class Numbers:
    """A bundle's evaluations, measured again.

    Args:
        bundle: The bundle.
        found: Takes each response's answer and verdict as they come out, and what lacks.
    """

    def __init__(self, bundle: Bundle, found: Verification) -> None:
        self._bundle = bundle
        # An experiment's table has every method under every seed, that of chosen runs what was chosen.
        is_chosen = "chosen.json" in bundle.names
        about = bundle.json("chosen.json" if is_chosen else "experiment.json")
        self._chosen = chosen_table.from_json(about["chosen"]) if is_chosen else None
        self._spec = None if is_chosen else ExperimentSpec.model_validate(about["spec"])
        # Of the data set versions, by id; a bundle of one data set may name it once only.
        self._tasks = {str(item["version_id"]): str(item["dataset"]["task"]) for item in about.get("blocks", ())}
        self._task = str(about["dataset"]["task"])
        self._found = found
        self._questions = {
            int(row["id"]): _Question(
                int(row["position"]),
                str(row["gold"]),
                tuple(map(str, row["choices"])) if row["choices"] else None,
                row.get("task"),
            )
            for row in bundle.lines("questions.jsonl")
        }
        self.places = list(bundle.lines("runs.jsonl"))
        # Two labels of equal content share their runs.
        self.runs = {str(row["id"]): row for row in self.places}
        self._responses: dict[str, list[_Response]] = {}
        self._assessed: dict[str, list[AssessedQuestion]] = {}

        for name in bundle.names:
            folder, _, file = name.partition("/")
            if folder == "candidates" and file:
                run_id = file.removesuffix(".jsonl")
                self._responses[run_id] = self._graded(run_id, name)
        self.measured = {run["id"]: self._measured(run) for run in self._evaluations()}
        """Run id -> its numbers."""
        self._values = {run_id: {item.metric: item for item in numbers} for run_id, numbers in self.measured.items()}

    def _evaluations(self) -> Iterator[Mapping[str, Any]]:
        for run in self.runs.values():
            if run["kind"] == "evaluate" and run["state"] == "succeeded":
                yield run

    def _graded(self, run_id: str, name: str) -> list[_Response]:
        """A run's responses, read and graded again."""
        rows: dict[int, list[_Response]] = {}
        texts: dict[int, list[str]] = {}
        task = self._tasks.get(str(self.runs[run_id]["inputs"].get("dataset_version_id")), self._task)
        other_version = 0
        for row in self._bundle.lines(name):
            key, text = int(row["question"]), str(row["text"])
            question = self._questions[key]
            verdict, answer = str(row["verdict"]), row["answer"]
            if row["extractor_version"] == EXTRACTOR_VERSION:
                own = question.task or task
                read, graded = judge(text, str(row["finish_reason"]), question.gold, own, question.choices)
                where = f"{self.runs[run_id]['cell']}, response {row['id']}"
                value = read.value if read else None
                self._found.compare("responses", f"{where}: answer", answer, value)
                self._found.compare("responses", f"{where}: verdict", verdict, graded)
                verdict, answer = graded, value
            else:
                other_version += 1
            truncated = row["finish_reason"] == "length"
            rows.setdefault(key, []).append(_Response(int(row["id"]), key, verdict, answer, truncated, False))
            texts.setdefault(key, []).append(text)
        if other_version:
            self._found.notes.append(
                f"{other_version} responses of '{self.runs[run_id]['cell']}' were read by another version of the "
                f"answer rules than this program's ({EXTRACTOR_VERSION}); their stored verdicts were taken."
            )
        ordered = sorted(rows, key=lambda key: self._questions[key].position)
        return [
            _Response(row.id, key, row.verdict, row.answer, row.truncated, earlier is not None)
            for key in ordered
            for row, earlier in zip(rows[key], deduplicate(texts[key]), strict=True)
        ]

    def _measured(self, run: Mapping[str, Any]) -> list[Measured]:
        """Every number of an evaluation."""
        config = EvaluateConfig.model_validate(run["config"])
        greedy, parents = self._responses[run["id"]], run["parents"]
        found = with_tasks(greedy, [self._questions[row.question].task for row in greedy], _greedy)
        if "assessment" in parents:
            questions = self._scored(run)
            self._assessed[run["id"]] = questions
            sides = [ScoredQuestion(item.positives, item.negatives) for item in questions]
            tasks = [self._questions[item.example_id].task for item in questions]
            found += with_tasks(sides, tasks, lambda some: assessment_results(some, config.candidates_per_side))
        if "paths" in parents:
            paths = [
                [Path(row.answer, row.verdict == "right", row.verdict == "truncated") for row in rows]
                for rows in _by_question(self._responses[parents["paths"]]).values()
            ]
            found += path_results(paths, config.self_consistency, config.pass_at_k)
        if config.choice_likelihood:
            letters = {
                int(row["question"]): dict(row["letters"])
                for row in self._bundle.lines(f"likelihoods/{run['id']}.jsonl")
            }
            keys = [row.question for row in greedy if self._questions[row.question].choices]
            found += choice_results([letters[key] for key in keys], [self._questions[key].gold for key in keys])
        if "agreement_set_id" in run["inputs"]:
            found += self._ranked(run["id"])
        return found

    def _ranked(self, run_id: str) -> list[Measured]:
        groups: dict[int, list[tuple[float, float]]] = {}
        details: dict[str, object] = {}
        for row in self._bundle.lines(f"ranked/{run_id}.jsonl"):
            groups.setdefault(int(row["question"]), []).append((float(row["score"]), float(row["quality"])))
            details = {"ranking_set": row["ranking_set"], "ranking_set_id": row["ranking_set_id"]}
        return ranking_results(list(groups.values()), details)

    def _scored(self, run: Mapping[str, Any]) -> list[AssessedQuestion]:
        scores = {int(row["candidate"]): float(row["score"]) for row in self._bundle.lines(f"scores/{run['id']}.jsonl")}
        questions = []
        for key, rows in _by_question(self._responses[run["parents"]["assessment"]]).items():
            kept = [row for row in rows if not row.is_repeat]
            unscored = sum(row.id not in scores for row in kept)
            if unscored:
                self._found.differences.append(
                    Difference(f"{run['cell']}, question {key}: scored candidates", len(kept), len(kept) - unscored)
                )
            known = [row for row in kept if row.id in scores]
            questions.append(
                AssessedQuestion(
                    key,
                    positives=[scores[row.id] for row in known if row.verdict == "right"],
                    negatives=[scores[row.id] for row in known if row.verdict != "right"],
                )
            )
        return questions

    def table(self, options: ComparisonOptions) -> Comparison:
        """The table by the function that the product uses."""
        if self._spec is not None:
            block = blocks.choose(self._spec, options.block)
            seeds = [str(seed) for seed in self._spec.seeds]
            run_ids: dict[str, dict[str, dict[str, str]]] = {
                method_label(method): {seed: {} for seed in seeds} for method in self._spec.methods
            }
            measured = self._table_input(block.key, run_ids, seeds)
            return comparison_table.build(self._spec, measured, self._outcomes, options)
        if self._chosen is None:
            raise BundleRefused("The bundle names neither an experiment nor chosen runs.")
        seeds = [str(seed) for seed in self._chosen.seeds]
        measured = self._table_input(FIRST_BLOCK, {arm.label: {} for arm in self._chosen.arms}, seeds)
        return chosen_table.build(self._chosen, measured, self._outcomes, options)

    def _table_input(
        self,
        block: str,
        run_ids: dict[str, dict[str, dict[str, str]]],
        seeds: Sequence[str],
    ) -> comparison_table.Measured:
        """What the product reads from its tables, from the bundle's runs and the numbers made again."""
        missing: dict[str, list[str]] = {}
        numbers: dict[tuple[str, str, str], float | None] = {}
        details = []
        evaluated: set[str] = set()
        for run in self.places:
            label, seed = run["method"], str(run["seed"])
            if run["kind"] != "evaluate" or run.get("block", FIRST_BLOCK) != block:
                continue
            evaluated.add(run["id"])
            if label not in run_ids or seed not in seeds:
                continue
            run_ids[label].setdefault(seed, {})["evaluate"] = run["id"]
            if run["state"] != "succeeded":
                missing.setdefault(label, []).append(f"seed {seed}: {run['state']}")
                continue
            for metric, item in self._values[run["id"]].items():
                numbers[(label, seed, metric)] = item.value
        # In the order of run ids, as the product reads them: the notes' averages must sum alike.
        for run_id in sorted(evaluated & set(self._values)):
            found = self._values[run_id].get("assessment_accuracy_3x3")
            if found is not None and found.details:
                details.append({"questions_counted": found.n, **found.details})
        return comparison_table.Measured(numbers, details, run_ids, missing)

    def _outcomes(self, run_id: str, metric: str) -> dict[int, float]:
        metric, _, task = metric.partition("/")
        if task:
            found = self._outcomes(run_id, metric)
            return {key: value for key, value in found.items() if self._questions[key].task == task}
        if metric == "task_accuracy":
            return {row.question: float(row.verdict == "right") for row in self._responses[run_id]}
        per_side = int(self.runs[run_id]["config"].get("candidates_per_side", 3))
        return outcomes.of_assessed(metric, self._assessed.get(run_id, []), per_side)


def _greedy(rows: Sequence[_Response]) -> list[Measured]:
    return greedy_results([row.verdict for row in rows], [row.truncated for row in rows])


def _by_question(rows: Iterable[_Response]) -> dict[int, list[_Response]]:
    groups: dict[int, list[_Response]] = {}
    for row in rows:
        groups.setdefault(row.question, []).append(row)
    return groups
