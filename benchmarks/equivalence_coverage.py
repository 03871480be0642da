"""How often what is said of a multiple of training holds: "3.4x [2.7x, 4.3x]", "at least 1.2x", "more than 2x".

Budgets that by construction score what 1, 4 and 9 times the training does at the least one, on a curve that is straight on
the logit's scale and on one that is not (from 5 % up to a plateau at 80 %), with luck of runs below and above the step
between levels. Prints a row a setting: the share of rows of which it holds, the share of rows of each kind, and the median
width of intervals. `--repetitions 60` takes 80 seconds of one core.
"""

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd

from scaling.exchange import exchange_rate
from scaling.exchange.equivalence import equivalences
from scaling.exchange.links import LOGIT
from scaling.laws.base import Array

TIMES = {"one": 1.0, "some": 4.0, "many": 9.0}
"""What each budget replaces."""
CURVES: dict[str, Callable[[Array], Array]] = {
    "straight": lambda z: LOGIT.share(0.9 * z),
    "plateau": lambda z: 0.05 + 0.75 * LOGIT.share(3 * z),
}
SETTINGS = ((0.1, 4, 0.5, 7), (0.3, 3, 0.35, 7), (0.5, 3, 0.35, 7), (0.3, 6, 0.2, 9), (0.1, 3, 0.15, 8))
"""Luck of a run [decades of training], runs a level, decades between levels, levels."""


def grid(
    curve: Callable[[Array], Array], luck: float, runs: int, step: float, levels: int, seed: int
) -> pd.DataFrame:
    """Return one row a run and budget."""
    level, run, budget = (axis.ravel() for axis in np.indices((levels, runs, len(TIMES))))
    u = 18 + step * level
    moved = luck * np.random.default_rng(seed).normal(size=(levels, runs))[level, run]
    return pd.DataFrame(
        {
            "train_flops": 10**u,
            "infer_flops_per_problem": 10.0 ** (9 + budget),
            "budget": np.array(list(TIMES))[budget],
            "run": level * runs + run,
            "score": curve(u + np.log10(np.array(list(TIMES.values())))[budget] - 20 + moved),
        }
    )


def holds(row: pd.Series) -> bool:
    """Return whether what is said of a row is true."""
    true, note = TIMES[row["budget"]], row["note"]
    low = {"": row["low"], "at least": row["low"], "beyond": row["times"]}.get(note, 0.0)
    high = {"": row["high"], "at most": row["high"], "below": row["times"]}.get(note, np.inf)
    return bool(low * (1 - 1e-9) <= true <= high * (1 + 1e-9))


def main() -> None:
    """Print a row a setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=30)
    repetitions = parser.parse_args().repetitions
    print(
        f"{'curve':>9} {'luck':>5} {'runs':>4} {'step':>5}  hold  intervals  bounds  beyond  neither  decades wide"
    )
    for name, curve in CURVES.items():
        for setting in SETTINGS:
            found = pd.concat(
                equivalences(
                    exchange_rate(grid(curve, *setting, seed), at=[0.5], bootstrap=0, backtested=False)
                )
                for seed in range(repetitions)
            )
            kinds = (
                found["note"]
                .map({"": 0, "at least": 1, "at most": 1, "beyond": 2, "below": 2, "wide": 3})
                .value_counts(normalize=True)
            )
            told = found[found["note"] == ""]
            shares = "".join(f"{kinds.get(kind, 0.0):{width}.0%}" for kind, width in enumerate((11, 8, 8, 9)))
            width = float(np.log10(told["high"] / told["low"]).median())
            luck, runs, step, _ = setting
            print(
                f"{name:>9} {luck:>5} {runs:>4} {step:>5} {found.apply(holds, axis=1).mean():>5.1%}{shares}{width:>14.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
