"""The alarm: what fires it, what does not, and that its reasons are the numbers."""

import json
import math

import pytest
from scipy import stats

from aft.degradation import Alarm, Evaluated, find_alarm
from aft.metrics import ScoredQuestion


def model(right: int, *, of: int = 100, positive: float = -0.4, gap: float = 0.0, questions: int = 30) -> Evaluated:
    """A model that answers the first ``right`` questions right; wrong COTs score ``gap`` below the right ones."""
    scored = {}
    for index in range(questions):
        wobble = 0.02 * math.sin(index)
        level = positive * (1 + 0.1 * math.sin(2 * index))
        scored[f"a{index}"] = ScoredQuestion(
            [level + wobble, level - wobble], [level - gap + 1.5 * wobble, level - gap - 3 * wobble]
        )
    return Evaluated({f"v{index}": index < right for index in range(of)}, scored)


VFT = model(60)
COLLAPSED = model(40, positive=-0.6, gap=0.5)


def alarm_against_vft(now: Evaluated) -> Alarm | None:
    return find_alarm(30, now, [("the VFT model", VFT)])


def test_better_assessment_with_worse_answers_and_higher_perplexity_is_an_alarm() -> None:
    alarm = alarm_against_vft(COLLAPSED)
    assert alarm is not None
    assert (alarm.step, alarm.against) == (30, "the VFT model")
    assessment, task, perplexity = alarm.changes
    assert (task.measure, task.before, task.after) == ("task_accuracy", 0.6, 0.4)
    # Twenty broken and none fixed: one side of a fair coin's binomial.
    assert task.p == pytest.approx(0.5**20)
    assert perplexity.before == pytest.approx(math.exp(0.4), rel=0.01)
    assert perplexity.after == pytest.approx(math.exp(0.6), rel=0.01)
    assert assessment.after == 1.0 > assessment.before
    assert [item["measure"] for item in json.loads(json.dumps(alarm.as_json()))["changes"]] == [
        "assessment_accuracy", "task_accuracy", "perplexity",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (model(57, positive=-0.6, gap=0.5), "three questions of a hundred may be chance"),
        (model(40, positive=-0.4, gap=0.5), "perplexity has not moved"),
        (model(40, positive=-0.3, gap=0.5), "perplexity has fallen"),
        (model(70, positive=-0.6, gap=0.5), "answers are better"),
        (model(40, positive=-0.6, gap=-0.5), "it assesses worse as well: another fault"),
        (model(40, positive=-0.6, gap=0.5, questions=0), "nothing was assessed"),
        (model(0, of=0, positive=-0.6, gap=0.5), "nothing was answered"),
    ],
)
def test_no_alarm_without_all_three(now: Evaluated, why: str) -> None:
    assert alarm_against_vft(now) is None, why


def test_the_first_reference_that_it_has_degraded_against_is_named() -> None:
    references = [("the VFT model", model(35, positive=-0.7)), ("step 10", VFT), ("step 20", VFT)]
    alarm = find_alarm(30, COLLAPSED, references)
    assert alarm is not None
    assert alarm.against == "step 10"
    assert find_alarm(30, COLLAPSED, []) is None


def test_the_loss_of_likelihood_is_tested_in_pairs() -> None:
    now = Evaluated(COLLAPSED.right, {key: COLLAPSED.scored[key] for key in list(COLLAPSED.scored)[:5]})
    alarm = alarm_against_vft(now)
    assert alarm is not None
    before = [sum(VFT.scored[key].positives) / 2 for key in now.scored]
    after = [sum(item.positives) / 2 for item in now.scored.values()]
    expected = stats.ttest_rel(after, before, alternative="less").pvalue
    assert alarm.changes[2].p == pytest.approx(expected, abs=1e-12)


def test_cases_survive_the_file() -> None:
    assert Evaluated.from_json(json.loads(json.dumps(VFT.as_json()))) == Evaluated(
        VFT.right, {key: ScoredQuestion(list(item.positives), list(item.negatives)) for key, item in VFT.scored.items()}
    )


def test_an_overflowing_perplexity_is_not_measured_and_raises_no_alarm() -> None:
    broken = model(40, positive=-1e4, gap=0.5)
    assert "perplexity" not in broken.values
    assert alarm_against_vft(broken) is None
