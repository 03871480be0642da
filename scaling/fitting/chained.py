"""A score from a size and tokens: a link from loss to score, chained after a loss law."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError
from scaling.fitting import checks
from scaling.fitting.parts import Prediction
from scaling.fitting.result import Fit
from scaling.resampling import percentile


@dataclass(frozen=True)
class Chain:
    """score = link(loss law(N, D, ...)), with the uncertainty of both fits."""

    loss: Fit
    """The fit of a loss law."""
    link: Fit
    """The fit of a score law whose one input is the loss."""

    def predict(self, *, level: float | None = None, **inputs: npt.ArrayLike) -> Prediction:
        """Score at the loss law's inputs, with percentiles of the chained draws (`level`: the link's own).

        Draw b of the one fit is chained after a draw of the other, at random: both are taken for independent, as where
        they rest on different runs. Intervals take both forms for granted, also beyond the losses that the link was
        fitted to. Raises InputError when the inputs are not the loss law's.
        """
        level = self.link.intervals.level if level is None else level
        checks.level(level)
        value = self.link.law.predict(loss=self.loss.law.predict(**inputs))
        both = min(len(self.loss.draws), len(self.link.draws))
        if not both:
            return Prediction(value, None, None)
        flat = dict(zip(inputs, map(np.ravel, np.broadcast_arrays(*inputs.values())), strict=True))
        shuffled = np.random.default_rng(self.link.options.seed).permutation(len(self.link.draws))[:both]
        losses = type(self.loss.law).from_values(self.loss.draws[:both]).predict(**flat)
        scores = type(self.link.law).from_values(self.link.draws[shuffled]).predict(loss=losses)
        low, high = (end.reshape(np.shape(value)) for end in percentile(scores, level))
        return Prediction(value, low, high)


def chain(loss: Fit, link: Fit) -> Chain:
    """Chain a link from loss to score after a loss law.

    Gadre et al. 2024 (arXiv:2403.08540), eq. 5, and Bhagia et al. 2024 (arXiv:2412.04403) predict scores this way.

    Raises InputError unless the first fit is of a loss and the second of a score with the loss as its one input.
    """
    if loss.law.target != "loss":
        raise InputError(f"{loss.law.name} gives a {loss.law.target}; give the fit of a loss law first")
    if link.law.inputs != ("loss",):
        raise InputError(
            f"{link.law.name} takes {', '.join(link.law.inputs)}; give the fit of a link from loss to score second, "
            "exponential_link or logistic_link"
        )
    return Chain(loss, link)
