"""Where the boundary of the boundary constraint lies: one level per worse candidate.

The paper puts it ``beta`` below the lowest better candidate and searches ``beta`` (Section 6.4). Two rules of our own
need no number: they read the level from the scores under the model that training is compared with (the VFT model).
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def boundary_below_better(
    scores: Float[Tensor, "question candidate"],
    prefers: Bool[Tensor, "question candidate candidate"],
    beta: float | Float[Tensor, "question 1"],
) -> Float[Tensor, "question candidate"]:
    r"""The paper's boundary (Eq. 8, 11): ``s_j^* - beta``, with ``s_j^* = min over k above j of s_k``.

    Args:
        scores: Candidate scores, nats a token.
        prefers: Preference pairs.
        beta: The gap in nats a token, one for all questions or one for each; may be negative.

    Returns:
        The boundary of every candidate; infinite where no candidate is better.
    """
    lowest_better = torch.where(prefers, scores[:, :, None], torch.inf).amin(dim=1)
    return lowest_better - beta


def score_spread(
    reference_scores: Float[Tensor, "question candidate"], rated: Bool[Tensor, "question candidate"]
) -> Float[Tensor, "question 1"]:
    """The standard deviation of a question's candidate scores under the reference model: a gap without a number.

    Candidates that the reference model already tells far apart may differ much; those that it holds for equally
    likely stay close together. The population form, so that a single candidate has 0.
    """
    count = rated.sum(dim=1, keepdim=True).clamp(min=1)
    known = torch.where(rated, reference_scores, 0.0)
    mean = known.sum(dim=1, keepdim=True) / count
    squares = torch.where(rated, (reference_scores - mean) ** 2, 0.0)
    return (squares.sum(dim=1, keepdim=True) / count).sqrt()
