"""From samples to curves in k: at least one right, the majority's answer, the verifier's choice."""

from scaling.samples.adaptive import adaptive
from scaling.samples.best import best_of_k
from scaling.samples.chance import chance_at_k, chance_corrected
from scaling.samples.curves import curves
from scaling.samples.majority import majority_at_k
from scaling.samples.unbiased import pass_at_k
from scaling.samples.votes import Votes, count_votes

__all__ = [
    "Votes",
    "adaptive",
    "best_of_k",
    "chance_at_k",
    "chance_corrected",
    "count_votes",
    "curves",
    "majority_at_k",
    "pass_at_k",
]
