"""What is measured about a model, and how certain it is.

Task accuracy is about the answers a model gives; assessment accuracy (Eq. 3) is about the scores it
gives to right and wrong COTs. Everything here is a function of plain numbers. Accuracies are
fractions from 0 to 1. What was not measured is None, never 0.
"""

from aft.metrics.assessment import PAPER_PER_SIDE, Assessment, ScoredQuestion, assess, assessment_accuracy, auroc
from aft.metrics.intervals import auroc_interval, mean_interval, median_interval
from aft.metrics.ranked import RATING_AGREEMENT, ranking_results
from aft.metrics.results import (
    Measured,
    Path,
    assessment_results,
    choice_results,
    greedy_results,
    path_results,
    with_tasks,
)
from aft.metrics.spread import Correlation, Difference, Spread, difference_to_baseline, mean_and_std, pearson
from aft.metrics.task import (
    Proportion,
    majority_vote,
    median_perplexity,
    pass_at_k,
    perplexity,
    proportion,
    task_accuracy,
)

__all__ = [
    "PAPER_PER_SIDE",
    "RATING_AGREEMENT",
    "Assessment",
    "Correlation",
    "Difference",
    "Measured",
    "Path",
    "Proportion",
    "ScoredQuestion",
    "Spread",
    "assess",
    "assessment_accuracy",
    "assessment_results",
    "auroc",
    "auroc_interval",
    "choice_results",
    "difference_to_baseline",
    "greedy_results",
    "majority_vote",
    "mean_and_std",
    "mean_interval",
    "median_interval",
    "median_perplexity",
    "pass_at_k",
    "path_results",
    "pearson",
    "perplexity",
    "proportion",
    "ranking_results",
    "task_accuracy",
    "with_tasks",
]
