"""How far raters agree, corrected for chance, with bootstrap intervals over questions.

    krippendorff_alpha  any number of raters, missing values, nominal, ordinal or interval scale
    cohen_kappa         two raters, exact agreement; weighted: by squared distance
    fleiss_kappa        any number of raters, nominal scale
    kendall_tau         two raters' orders; ties allowed (τ-b)

Everything is a function of plain numbers. A statistic that the data do not define (one level only, nothing rated
twice) is None, never 0.
"""

from aft.agreement.alpha import Level, krippendorff_alpha
from aft.agreement.estimate import Estimate
from aft.agreement.kappa import cohen_kappa, fleiss_kappa
from aft.agreement.tau import kendall_tau, kendall_tau_within

__all__ = [
    "Estimate",
    "Level",
    "cohen_kappa",
    "fleiss_kappa",
    "kendall_tau",
    "kendall_tau_within",
    "krippendorff_alpha",
]
