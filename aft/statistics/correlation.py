"""Does one quantity rise with another?"""

import math
from collections.abc import Sequence

from aft.metrics import pearson
from aft.statistics.tested import Tested


def correlation(x: Sequence[float], y: Sequence[float]) -> Tested | None:
    """Pearson's r as the difference to no correlation, with Fisher's interval and p-value.

    Returns:
        None below four points, which have no interval, or when one of the two does not vary.
    """
    found = pearson(x, y)
    if found is None or found.low is None or found.high is None:
        return None
    if abs(found.r) == 1:
        return Tested(found.r, found.r, found.r, 0.0, found.n)
    from scipy import stats

    p = float(2 * stats.norm.sf(abs(math.atanh(found.r)) * math.sqrt(found.n - 3)))
    return Tested(found.r, found.low, found.high, p, found.n)
