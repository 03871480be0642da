"""Regression of shares on a basis, for many tables at once: the engine under every surface.

P = floor + (ceiling - floor) h(X beta), by quasi-likelihood: binomial under the links of a probability, least squares under
the linear one. Shapes: D tables, M cells, p columns.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scaling.exchange.links import LINEAR, Link
from scaling.laws.base import Array

STEPS, TOLERANCE = 40, 1e-10
"""Most scoring steps, and the relative gain in deviance below which the last is taken."""
RIDGE = 1e-9
"""Share of each diagonal entry that is added to it, so that cells that part perfectly keep a finite answer."""
FURTHEST = 40.0
"""Largest linear predictor in size: beyond, a share is 0 or 1 to the last bit."""
HALVINGS = 6
PIVOTS = 12
EDGE = 1e-12


@dataclass(frozen=True)
class Regression:
    """D tables of shares that are regressed on the same columns."""

    basis: Array
    """X, (D, M, p)."""
    shares: Array
    """(D, M)."""
    weights: Array
    """(D, M)."""
    link: Link
    """h."""
    floor: Array
    """(D,)."""
    ceiling: Array
    """(D,)."""
    positive: npt.NDArray[np.bool_]
    """Columns whose coefficient is 0 or above, (p,)."""

    def some(self, index: npt.NDArray[np.intp]) -> "Regression":
        """These tables alone."""
        return Regression(
            self.basis[index],
            self.shares[index],
            self.weights[index],
            self.link,
            self.floor[index],
            self.ceiling[index],
            self.positive,
        )

    def predictor(self, beta: Array) -> Array:
        """X beta, (D, M)."""
        x = (self.basis @ beta[:, :, None])[..., 0]
        return x if self.link is LINEAR else np.clip(x, -FURTHEST, FURTHEST)

    def mean(self, beta: Array) -> Array:
        """P, (D, M)."""
        width = (self.ceiling - self.floor)[:, None]
        return self.floor[:, None] + width * self.link.share(self.predictor(beta))

    def deviance(self, beta: Array) -> Array:
        """Twice the weighted log-likelihood below a perfect fit, (D,); the sum of squares under the linear link."""
        return deviance(self.shares, self.mean(beta), self.weights, self.link)

    def solved(self, start: Array | None = None) -> tuple[Array, Array]:
        """Coefficients (D, p) and deviance (D,) at the best fit, looked for from `start` (D, p) or least squares."""
        if self.link is LINEAR:
            beta = self._least_squares(self.weights, self.weights * self.shares)
            return beta, self.deviance(beta)
        beta = self._first() if start is None else start.copy()
        value = self.deviance(beta)
        open_ = np.arange(len(beta))
        for _ in range(STEPS):
            part = self.some(open_)
            trial, tried = part._shortened(beta[open_], part._step(beta[open_]), value[open_])
            gain = value[open_] - tried
            beta[open_], value[open_] = trial, tried
            open_ = open_[gain > TOLERANCE * (1e-3 + np.abs(tried))]
            if not open_.size:
                break
        return beta, value

    def _first(self) -> Array:
        """Least squares of the linked shares, drawn in from 0 and 1."""
        inner = (self.shares - self.floor[:, None]) / np.maximum(self.ceiling - self.floor, 1e-9)[:, None]
        return self._least_squares(self.weights, self.weights * self.link.scale(np.clip(inner, 0.02, 0.98)))

    def _step(self, beta: Array) -> Array:
        """The step of Fisher scoring: to the coefficients that the working responses ask for."""
        x = self.predictor(beta)
        width = (self.ceiling - self.floor)[:, None]
        mean = np.clip(self.floor[:, None] + width * self.link.share(x), EDGE, 1.0 - EDGE)
        slope = np.maximum(width * self.link.slope(x), EDGE)
        variance = mean * (1.0 - mean)
        information = self.weights * slope**2 / variance
        wanted = self.weights * slope * (self.shares - mean) / variance
        return self._least_squares(information, information * x + wanted) - beta

    def _shortened(self, beta: Array, step: Array, value: Array) -> tuple[Array, Array]:
        """The step, halved until the deviance falls; none where it never does."""
        best, lowest = beta.copy(), value.copy()
        open_ = np.arange(len(beta))
        for halving in range(HALVINGS):
            trial = beta[open_] + 0.5**halving * step[open_]
            tried = self.some(open_).deviance(trial)
            fell = tried <= value[open_]
            best[open_[fell]], lowest[open_[fell]] = trial[fell], tried[fell]
            open_ = open_[~fell]
            if not open_.size:
                break
        return best, lowest

    def _least_squares(self, information: Array, wanted: Array) -> Array:
        """Minimise beta' (X' I X) beta / 2 - (X' wanted)' beta, (D, p); `positive` ones at 0 or above."""
        turned = np.swapaxes(self.basis, 1, 2)
        normal = (turned * information[:, None, :]) @ self.basis
        right = (turned @ wanted[:, :, None])[..., 0]
        diagonal = np.einsum("dpp->dp", normal)
        normal = normal + (RIDGE * diagonal + EDGE)[:, :, None] * np.eye(normal.shape[-1])
        free: Array = np.linalg.solve(normal, right[..., None])[..., 0]
        wrong = (free[:, self.positive] < 0).any(axis=1)
        if wrong.any():
            free[wrong] = _nonnegative(normal[wrong], right[wrong], self.positive)
        return free


def deviance(shares: Array, mean: Array, weights: Array, link: Link) -> Array:
    """Twice the weighted log-likelihood of `mean` below that of the shares themselves; squares under the linear link."""
    if link is LINEAR:
        return np.asarray((weights * (shares - mean) ** 2).sum(axis=-1))
    mean = np.clip(mean, EDGE, 1.0 - EDGE)
    rest = 1.0 - shares
    right = shares * np.log(np.maximum(shares, EDGE) / mean)
    wrong = rest * np.log(np.maximum(rest, EDGE) / (1.0 - mean))
    return np.asarray(2.0 * (weights * (right + wrong)).sum(axis=-1))


def _nonnegative(normal: Array, right: Array, positive: npt.NDArray[np.bool_]) -> Array:
    """Minimise beta' N beta / 2 - r' beta with `positive` coefficients at 0 or above, (D, p), by block pivoting.

    Coefficients that come out negative are held at 0, and those that would fall from 0 into the feasible side are let go
    again (Portugal, Judice and Vicente 1994); what still cycles after `PIVOTS` rounds ends by coordinate descent.
    """
    held = np.zeros(right.shape, dtype=np.bool_)
    eye = np.eye(right.shape[1])
    beta = np.zeros(right.shape)
    open_ = np.arange(len(right))
    for _ in range(PIVOTS):
        fixed = held[open_]
        both = ~fixed[:, :, None] & ~fixed[:, None, :]
        masked = np.where(both, normal[open_], 0.0) + fixed[:, :, None] * eye
        found = np.linalg.solve(masked, np.where(fixed, 0.0, right[open_])[..., None])[..., 0]
        slack = (normal[open_] @ found[:, :, None])[..., 0] - right[open_]
        scale = 1e-10 * (np.abs(right[open_]) + EDGE)
        leave, back = positive & ~fixed & (found < 0), fixed & (slack < -scale)
        beta[open_] = np.where(positive, np.maximum(found, 0.0), found)
        held[open_] = (fixed | leave) & ~back
        open_ = open_[(leave | back).any(axis=1)]
        if not open_.size:
            return beta
    beta[open_] = _coordinates(normal[open_], right[open_], beta[open_], positive)
    return beta


def _coordinates(normal: Array, right: Array, beta: Array, positive: npt.NDArray[np.bool_]) -> Array:
    """Coordinate descent on a convex quadratic, from `beta`, with `positive` coefficients held at 0 or above."""
    beta = np.where(positive, np.maximum(beta, 0.0), beta)
    for _ in range(300):
        before = beta.copy()
        for k in range(beta.shape[1]):
            rest = right[:, k] - (normal[:, k] * beta).sum(axis=1) + normal[:, k, k] * beta[:, k]
            value = rest / normal[:, k, k]
            beta[:, k] = np.maximum(value, 0.0) if positive[k] else value
        if np.max(np.abs(beta - before)) < 1e-9 * (1.0 + np.max(np.abs(beta))):
            break
    return beta
