"""Claim: intervals of the recommended method hold the truth as often as they say.

Simulates tables of n runs at log-uniform inputs (N and D from 1e6 to 1e10, others over their usual range), with the
law's losses times lognormal noise of 1 %, fits each with its intervals, and counts. Prints one line a law, n and method
as Markdown; for laws with a best size also what follows at COMPUTE, beyond the rows. Usage: python
benchmarks/coverage.py [--laws power,chinchilla] [--rows 60,240] [--sets 200] [--draws 1000]
200 sets take two minutes and tell a coverage to within 3 points; 1000 tell it to within 1.4.
"""

import argparse
import time

import numpy as np
import pandas as pd

from scaling import laws
from scaling.fitting import Estimate, Fit, fit
from scaling.fitting.derived import at_compute, derived, estimates
from scaling.laws import Law, LossInND

BREAKS = {"E": 0.4, "A": 2.3, "c0": 0.06, "c1": 1.4, "d1": 600.0, "f1": 0.1, "c2": -1.1, "d2": 4e3, "f2": 0.2}
TRUTHS: tuple[Law, ...] = (
    laws.Power(E=1.7, A=400.0, alpha=0.34),
    laws.Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367),
    laws.PNorm(E=0.9, A=120.0, B=300.0, alpha=0.28, beta=0.31, p=2.2),
    laws.ChinchillaTied(E=1.87, A=521.0, B=1488.0, alpha=0.353),
    laws.OverTraining(E=1.84, a=212.0, b=367.0, g=0.136),
    laws.RepeatedData(E=1.87, A=521.0, B=1488.0, alpha=0.35, beta=0.36, R_D=15.4, R_N=5.3),
    laws.BrokenPower1(E=0.4, A=2.3, c0=0.06, c1=1.4, d1=600.0, f1=0.1),
    laws.BrokenPower2(**BREAKS),
    laws.BrokenPower3(**BREAKS, c3=0.6, d3=3e4, f3=0.15),
    laws.TrainSamples(E=0.05, A=60.0, B=200.0, G=1.1, alpha=0.3, beta=0.28, gamma=0.35),
    laws.Sigmoid(R0=0.1, A=0.62, C_mid=3e19, B=0.8),
    laws.ExponentialLink(chance=0.25, K=3.0, gamma=1.2),
    laws.LogisticLink(chance=0.25, top=0.95, middle=2.6, k=3.0),
    laws.Coverage(a=1.6, b=0.4),
    laws.BetaBinomial(a=0.4, b=30.0),
    laws.LearningRate(c=1.79, a=-0.713, b=0.307),
    laws.BatchSize(c=0.58, b=0.571),
)
RANGES = {"U": (1e6, 1e9), "k": (1.0, 1e4), "loss": (1.5, 4.0), "x": (50.0, 3e5), "C": (1e16, 1e22)}
NOISE = 0.01
COMPUTE = 1e22
"""FLOPs; the rows reach 6e20."""


def table(law: Law, rows: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return one simulated table."""
    inputs = {}
    for name in law.inputs:
        low, high = RANGES.get(name, (1e6, 1e10)) if law.name != "power" else (1e6, 1e10)
        inputs[name] = low * (high / low) ** rng.uniform(size=rows)
    measured = law.predict(**inputs) * np.exp(rng.normal(0, NOISE, rows))
    return pd.DataFrame(
        inputs | {law.target: np.minimum(measured, 1.0) if law.target == "score" else measured}
    )


def count(law: Law, rows: int, sets: int, draws: int) -> dict[str, dict[str, float]]:
    """Return by method the share of 95 % intervals that held the truth, of parameters and of what follows from them."""
    compute = COMPUTE if isinstance(law, LossInND) else None
    truth = dict(zip(law.parameter_names(), law.values(), strict=True)) | at_compute(law, compute)
    truth |= {"N_exponent": law.N_exponent} if isinstance(law, LossInND) else {}
    held: dict[str, list[list[bool]]] = {"percentile, pairs": [], "bca, pairs": []}
    for number in range(sets):
        frame = table(law, rows, np.random.default_rng([number, rows]))
        options = {"resample": "pairs", "bootstrap": draws, "seed": number, "compute": compute}
        found = fit(law.name, frame, interval="bca", **options)
        bca = {**found.parameters, **found.derived}
        for method, ends in (("bca, pairs", bca), ("percentile, pairs", percentiles(found, compute))):
            held[method].append([holds(ends[name], value) for name, value in truth.items()])
    return {
        method: dict(zip(truth, 100 * np.mean(counts, axis=0), strict=True))
        for method, counts in held.items()
    }


def percentiles(found: Fit, compute: float | None) -> dict[str, Estimate]:
    """Return the same estimates with the percentiles of the same draws."""
    law, level = type(found.law), found.intervals.level
    parameters = estimates(law.parameter_names(), found.law.values(), found.draws, level)
    return parameters | derived(law, found.law.values(), found.draws, compute, level)


def holds(found: Estimate, truth: float) -> bool:
    """Return whether an interval holds a number."""
    assert found.low is not None
    assert found.high is not None
    return found.low <= truth <= found.high


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--laws", default="power,chinchilla")
    parser.add_argument("--rows", default="60,240")
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--draws", type=int, default=1000)
    options = parser.parse_args()
    print("| law | runs | sets | intervals | coverage of 95 % intervals, % | CPU s a fit |")
    print("| :--- | ---: | ---: | :--- | :--- | ---: |")
    for name in options.laws.split(","):
        law = next(law for law in TRUTHS if law.name == name)
        for rows in map(int, options.rows.split(",")):
            start = time.process_time()
            held = count(law, rows, options.sets, options.draws)
            seconds = (time.process_time() - start) / options.sets
            for method, shares in held.items():
                words = ", ".join(f"{name} {share:.1f}" for name, share in shares.items())
                print(
                    f"| {name} | {rows} | {options.sets} | {method} | {words} | {seconds:.2f} |", flush=True
                )


if __name__ == "__main__":
    main()
