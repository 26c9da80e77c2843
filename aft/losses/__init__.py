"""Losses over the scores of a question's candidate COTs; ``ranking_loss`` is the door to all of them."""

from aft.losses.build import ranking_loss, score_gradient
from aft.losses.pairs import PairStatistics, pair_statistics
from aft.losses.vft import VftReduction, vft_loss, vft_weights

__all__ = [
    "PairStatistics",
    "VftReduction",
    "pair_statistics",
    "ranking_loss",
    "score_gradient",
    "vft_loss",
    "vft_weights",
]
