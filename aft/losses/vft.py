"""The supervised loss on the reference COT (Eq. 1)."""

from typing import Literal, assert_never

from jaxtyping import Float, Int
from torch import Tensor

VftReduction = Literal["token-mean", "token-sum"]


def vft_loss(
    scores: Float[Tensor, " question"],
    lengths: Int[Tensor, " question"],
    *,
    reduction: VftReduction = "token-mean",
) -> Float[Tensor, " question"]:
    """Negative log-likelihood of each question's reference.

    Args:
        scores: Score of the reference: its token-averaged log-likelihood (Eq. 2).
        lengths: Tokens of the reference, EOS included.
        reduction: Mean over the reference's tokens, or their sum as Eq. 1 is written.

    Returns:
        One loss per question, so that a batch averages over questions however it is cut up.
    """
    match reduction:
        case "token-mean":
            return -scores
        case "token-sum":
            return -scores * lengths
        case _:
            assert_never(reduction)
