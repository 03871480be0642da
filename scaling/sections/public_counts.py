"""Public counts of right samples: rates between one model's checkpoints, backtests of all with enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.exchange.coverage_laws import Backtest, backtest_coverage
from scaling.exchange.coverage_rates import CoverageRates, coverage_rates
from scaling.samples import adaptive

if TYPE_CHECKING:
    import pandas as pd

SIZE, TOKENS, COVERAGE = 1.4e9, (6e9, 20e9, 60e9, 300e9), 0.3
"""Model and checkpoints whose samples are set against training, and the coverage."""
ENOUGH, FEW = 10_000, 100
"""Samples of every problem that a model needs for a backtest, and the few of them that one backtest keeps."""


@dataclass(frozen=True)
class Backtests:
    """Both laws held out, model by model."""

    samples: str
    """What was kept, in words."""
    found: Mapping[str, Backtest]
    """Model to its backtest."""
    left_out: int
    """Models where some thinned counts do not fit both laws, mostly as none of them is right."""

    def mean(self, law: str, largest: bool = False) -> float:
        """Mean over models of the mean absolute error, or of that at the largest k."""
        return float(
            np.mean([b.last_error(law) if largest else b.mean_error(law) for b in self.found.values()])
        )

    def wins(self, law: str) -> int:
        """Models on which a law has the lower mean absolute error."""
        return sum(b.best == law for b in self.found.values())

    def to_json(self) -> dict[str, Any]:
        """samples, left_out, models: one Backtest each."""
        models = {name: b.to_json() for name, b in self.found.items()}
        return {"samples": self.samples, "left_out": self.left_out, "models": models}


@dataclass(frozen=True)
class Samples:
    """What the counts say."""

    name: str
    """The set."""
    model: str
    """Whose checkpoints the rates are of, in words."""
    tokens: tuple[float, ...]
    """Training tokens of the checkpoints."""
    rates: CoverageRates
    """Samples for one coverage, and rates between neighbours."""
    backtests: tuple[Backtests, ...]
    """A tenth of all samples kept, and few of many."""
    enough: int
    """Samples of every problem that a model of the backtests has."""
    adaptive: tuple[int, int]
    """Models whose samples went with the outcome, and all models."""
    sha256: str
    """Hash of the file."""

    def to_json(self) -> dict[str, Any]:
        """sha256, model, tokens, exchange (CoverageRates), backtests (two of Backtests), adaptive_models, models."""
        told, models = self.adaptive
        return {
            "sha256": self.sha256,
            "model": self.model,
            "tokens": list(self.tokens),
            "exchange": self.rates.to_json(),
            "backtests": [one.to_json() for one in self.backtests],
            "adaptive_models": told,
            "models": models,
        }


def samples(name: str, counts: pd.DataFrame, draws: int, sha256: str) -> Samples:
    """Return what the counts of a set say: columns model, prompt_idx, n, c, N and D, a row a problem of a checkpoint."""
    counts = counts.rename(columns={"prompt_idx": "problem"})
    chosen = counts[(counts["N"] == SIZE) & counts["D"].isin(TOKENS)]
    models = {str(model): rows[["n", "c"]].to_numpy().T for model, rows in counts.groupby("model")}
    enough = {model: pair for model, pair in models.items() if pair[0].min() >= ENOUGH}
    rng = np.random.default_rng(0)
    few = {}
    for model, (n, c) in enough.items():
        cut = rng.hypergeometric(c, n - c, ENOUGH)
        few[model] = backtest_coverage(np.full(len(n), ENOUGH), cut, samples=FEW)
    tenths = {model: backtest_coverage(*pair) for model, pair in enough.items()}
    return Samples(
        name=name,
        model=f"Pythia {SIZE / 1e9:g}B",
        tokens=TOKENS,
        rates=coverage_rates(
            chosen.assign(train_flops=6 * chosen["N"] * chosen["D"]), at=COVERAGE, bootstrap=draws
        ),
        backtests=(
            _whole("a tenth of the samples", tenths),
            _whole(f"{FEW} of {ENOUGH:,} samples", few),
        ),
        enough=ENOUGH,
        adaptive=(sum(adaptive(*pair) is not None for pair in models.values()), len(models)),
        sha256=sha256,
    )


def _whole(words: str, found: dict[str, Backtest]) -> Backtests:
    """The models whose thinned counts all fit both laws."""
    whole = {model: one for model, one in found.items() if not one.failed}
    return Backtests(words, whole, len(found) - len(whole))
