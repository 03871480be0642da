"""How often intervals of few RL runs hold the truth: runs drawn whole, against the wider of runs and noise.

    python benchmarks/reward_coverage.py [--tables 40]

Tables of 3 runs x 9 checkpoints follow a sigmoid in RL compute, with luck in the compute at which a run bends and noise in
its scores. Counted are intervals of the asymptote A, and points beyond a cut in compute within the interval of one more
run's score, for a fit below the cut. Nominal coverage is 95 %.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
import pandas as pd

from scaling.fitting import Estimate, Prediction, fit, holdout
from scaling.fitting.few_runs import FewRuns
from scaling.laws import Sigmoid

STEPS = np.array([1, 2, 4, 8, 16, 32, 64, 96, 128])
STEP_FLOPS = 5e9
CUTS = (0.5, 0.25)
DRAWS = 60


@dataclass(frozen=True)
class Truth:
    """What tables are drawn from."""

    law: Sigmoid
    luck: float
    """Standard deviation of log C_mid between runs."""
    noise: float
    """Standard deviation of a score of one half."""


def law(A: float, R0: float, middle: float, B: float) -> Sigmoid:
    """Return a law that bends after ``middle`` steps."""
    return Sigmoid(A=A, R0=R0, C_mid=middle * STEP_FLOPS, B=B)


TRUTHS = {
    "bends at step 8": Truth(law(0.97, 0.15, 8, 2.0), 0.2, 0.012),
    "bends at step 20": Truth(law(0.95, 0.08, 20, 1.6), 0.25, 0.012),
    "bends at step 80": Truth(law(0.95, 0.05, 80, 1.3), 0.2, 0.015),
    "at step 80, runs alike": Truth(law(0.95, 0.03, 80, 1.3), 0.05, 0.02),
}


def table(truth: Truth, seed: int) -> pd.DataFrame:
    """Return three runs."""
    rng, runs = np.random.default_rng(seed), []
    for run in range(3):
        C = STEP_FLOPS * STEPS * np.exp(0.05 * rng.standard_normal())
        score = truth.law.predict(C=C * np.exp(truth.luck * rng.standard_normal()))
        noise = 2 * truth.noise * np.sqrt(score * (1 - score)) * rng.standard_normal(len(C))
        runs.append(pd.DataFrame({"run_id": f"run {run}", "C": C, "score": np.clip(score + noise, 0, 1)}))
    return pd.concat(runs, ignore_index=True)


def held(truth: Truth, seed: int) -> dict[str, tuple[float, float]]:
    """Return shares held by runs alone, and by the wider of both."""
    rows, options = table(truth, seed), {"loss": "mse", "cluster": "run_id", "bootstrap": DRAWS}
    found = FewRuns.of(fit("sigmoid", rows, **options))
    shares = {"A": tuple(_holds(e.parameters["A"], truth.law.A) for e in (found.runs, found))}
    for cut in CUTS:
        beyond = holdout("sigmoid", rows, cut * float(rows["C"].max()), **options)
        both = FewRuns.of(beyond.fit)
        C, score = (beyond.frame[name].to_numpy(dtype=float) for name in ("C", "score"))
        told = (both.runs.predict(C=C, new_run=True), both.new_run(C=C))
        shares[f"beyond {cut:g}"] = tuple(_inside(one, score) for one in told)
    return {name: (float(pair[0]), float(pair[1])) for name, pair in shares.items()}


def _holds(found: Estimate, truth: float) -> float:
    assert found.low is not None
    assert found.high is not None
    return float(found.low <= truth <= found.high)


def _inside(told: Prediction, score: np.ndarray) -> float:
    return float(np.mean((told.low <= score) & (score <= told.high)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=40)
    tables = parser.parse_args().tables
    print(f"{tables} tables a truth; share held by runs drawn whole -> by the wider of runs and noise")
    for name, truth in TRUTHS.items():
        found = pd.DataFrame([held(truth, seed) for seed in range(tables)])
        means = {column: np.mean(found[column].tolist(), axis=0) for column in found}
        print(
            f"{name:<24}" + "".join(f"  {column}: {a:.2f} -> {b:.2f}" for column, (a, b) in means.items()),
            flush=True,
        )


if __name__ == "__main__":
    main()
