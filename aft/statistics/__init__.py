"""Whether a difference between two methods is real.

Four tests, for four kinds of evidence:
    paired_t          a value per seed of both methods, seeds in common
    welch             a value per seed, seeds not in common
    paired_bootstrap  outcomes per question of both methods, over any number of seeds
    mcnemar           right or wrong per question of two runs

and one for a relation between two quantities:
    correlation       Pearson's r, a value per model of both

Each gives an estimate with its interval and a two-sided p-value, and None where the
evidence allows no test. `holm` corrects the p-values of a table for their number. Everything is a
function of plain numbers; what was not measured is left out by the caller, never 0.
"""

from aft.statistics.bootstrap import BOOTSTRAP_SAMPLES, PairedOutcomes, paired_bootstrap
from aft.statistics.correlation import correlation
from aft.statistics.holm import holm
from aft.statistics.questions import Flips, flips, mcnemar
from aft.statistics.seeds import paired_t, welch
from aft.statistics.tested import Tested

__all__ = [
    "BOOTSTRAP_SAMPLES",
    "Flips",
    "PairedOutcomes",
    "Tested",
    "correlation",
    "flips",
    "holm",
    "mcnemar",
    "paired_bootstrap",
    "paired_t",
    "welch",
]
