"""Tables of one budget split at several shares, with a known best share, to plant things in."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.special import expit

SHARES = (0.0, 0.05, 0.1, 0.2, 0.4)
Truth = Callable[[np.ndarray], np.ndarray]


def log_odds(share: np.ndarray | float) -> np.ndarray:
    return np.log(np.asarray(share) / (1 - np.asarray(share)))


def topped(best: float, bend: float = 0.8, top: float = 1.0, none: float = -1.0) -> Truth:
    """Logits that are highest at `best` and fall by `bend` a squared unit of the share's log-odds; `none` without RL."""

    def logits(share: np.ndarray) -> np.ndarray:
        some = np.where(share > 0, share, best)
        return np.where(share > 0, top - bend * (log_odds(some) - log_odds(best)) ** 2, none)

    return logits


def powers(best: float, pretraining: float = 4.0, top: float = 1.0, none: float = -1.0) -> Truth:
    """Logits linear in the logarithms of both stages' compute, highest at `best`."""
    rl = pretraining * best / (1 - best)

    def logits(share: np.ndarray) -> np.ndarray:
        some = np.where(share > 0, share, best)
        gain = rl * np.log(some / best) + pretraining * np.log((1 - some) / (1 - best))
        return np.where(share > 0, top + gain, none)

    return logits


def planted(
    truths: Sequence[Truth],
    *,
    shares: Sequence[float] = SHARES,
    runs: int = 3,
    problems: int = 128,
    samples: int = 16,
    seed: int | np.random.Generator = 0,
    run_sd: float = 0.15,
    problem_sd: float = 1.0,
    share_run_sd: float = 0.15,
    share_problem_sd: float = 0.3,
) -> pd.DataFrame:
    """One row a total (1e12, 2e12, ...), share, run and problem.

    Logits are the truth's, moved by the run, by the problem, and by each anew at every share.
    """
    rng = np.random.default_rng(seed)
    at, parts = np.asarray(shares), []
    of_run, of_problem = rng.normal(0, run_sd, runs), rng.normal(0, problem_sd, problems)
    for number, truth in enumerate(truths):
        total = 1e12 * 2**number
        moved = of_run[:, None] + of_problem + rng.normal(0, share_run_sd, (len(at), runs, 1))
        moved = moved + rng.normal(0, share_problem_sd, (len(at), 1, problems))
        right = rng.binomial(samples, expit(truth(at)[:, None, None] + moved))
        share, run, problem = (axis.ravel() for axis in np.indices(right.shape))
        parts.append(
            pd.DataFrame(
                {
                    "total": total,
                    "share": at[share],
                    "train_flops": at[share] * total,
                    "pretrain_flops": (1 - at[share]) * total,
                    "run": run,
                    "problem": problem,
                    "n": samples,
                    "c": right.ravel(),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
