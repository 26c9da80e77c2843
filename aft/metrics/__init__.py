"""What is measured about a model, and how certain it is.

Task accuracy is about the answers a model gives; assessment accuracy (Eq. 3) is about the scores it
gives to right and wrong COTs. Everything here is a function of plain numbers. Accuracies are
fractions from 0 to 1. What was not measured is None, never 0.
"""

from aft.metrics.assessment import PAPER_PER_SIDE, Assessment, ScoredQuestion, assess, assessment_accuracy, auroc
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
    "Assessment",
    "Correlation",
    "Difference",
    "Proportion",
    "ScoredQuestion",
    "Spread",
    "assess",
    "assessment_accuracy",
    "auroc",
    "difference_to_baseline",
    "majority_vote",
    "mean_and_std",
    "median_perplexity",
    "pass_at_k",
    "pearson",
    "perplexity",
    "proportion",
    "task_accuracy",
]
