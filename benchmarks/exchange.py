"""Claims: an exchange rate costs seconds, from a row a sample to the interval.

    python benchmarks/exchange.py

table: pass@k of 1000 problems of 1000 samples at 20 k, against a plain loop with math.comb; CPU seconds, and their ratio.
large: 10,000 problems of 10,000 samples at 20 k from 1 to 10,000, each of three methods; CPU seconds.
known: the study exchange_known, analysis and report; CPU seconds.
nested: rates of a grid of 7 levels x 5 seeds x 1000 problems x 256 samples, from a row a sample, with 1000 bootstraps
    of runs and problems; CPU seconds.
grid: majority of 35 checkpoints x 1000 problems x 256 samples at 8 k; CPU seconds.

Answers are drawn from 41 for each problem: the right one with a probability from Beta(.4, .6), the others' shares from a
Dirichlet distribution with .15. Run with OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from scaling.exchange import exchange_rate
from scaling.samples import best_of_k, count_votes, majority_at_k, pass_at_k

ANSWERS = 41
BLOCK = 500
"""Problems whose samples are in memory together."""
Row = tuple[str, str]


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the CPU seconds of a call, and what it gave."""
    begun = time.process_time()
    found = call()
    return time.process_time() - begun, found


def rates(problems: int, rng: np.random.Generator) -> np.ndarray:
    """Return each problem's distribution over answers, (problems, ANSWERS), the right one first."""
    right = rng.beta(0.4, 0.6, (problems, 1))
    return np.concatenate([right, (1 - right) * rng.dirichlet(np.full(ANSWERS - 1, 0.15), problems)], axis=1)


def samples(problems: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return the answers drawn, (problems, n); 0 is right."""
    below = np.cumsum(rates(problems, rng), axis=1)[:, :-1]
    return np.stack([np.searchsorted(row, rng.random(n), side="right") for row in below])


def spread(most: int, number: int) -> np.ndarray:
    """Return `number` distinct k from 1 to `most`, evenly in the logarithm as far as whole numbers go."""
    tries = (
        np.unique(np.geomspace(1, most, points).round().astype(int)) for points in range(number, 10 * number)
    )
    return next(k for k in tries if len(k) >= number)[-number:]


def plain(n: np.ndarray, c: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Return pass@k as the formula is written."""
    pairs = zip(n.tolist(), c.tolist(), strict=True)
    return np.array([[1 - math.comb(m - r, s) / math.comb(m, s) for s in k.tolist()] for m, r in pairs])


def pass_table() -> list[Row]:
    """Return seconds of the table of pass@k, of the plain loop, and their ratio; the two must agree."""
    rng = np.random.default_rng(0)
    n, k = np.full(1000, 1000), spread(1000, 20)
    c = rng.binomial(n, rng.beta(0.4, 2.0, 1000))
    ours, found = min((timed(lambda: pass_at_k(n, c, k)) for _ in range(5)), key=lambda pair: pair[0])
    loop, expected = timed(lambda: plain(n, c, k))
    np.testing.assert_allclose(found, expected, atol=1e-11)
    return [("pass@k, 1000 x 1000 x 20", f"{ours:.4f} s; plain loop {loop:.2f} s; ratio {loop / ours:,.0f}")]


def large() -> list[Row]:
    """Return seconds of each method on 10,000 problems of 10,000 samples at 20 k."""
    rng = np.random.default_rng(1)
    k = spread(10_000, 20)
    seconds = dict.fromkeys(("pass", "best of", "votes", "majority"), 0.0)
    drawn = 0
    for _ in range(10_000 // BLOCK):
        answer = samples(BLOCK, 10_000, rng)
        right = answer == 0
        score = rng.normal(size=right.shape) + right
        problem = np.repeat(np.arange(BLOCK), 10_000)
        for name, call in {
            "pass": lambda right=right: pass_at_k(10_000, right.sum(axis=1), k),
            "best of": lambda right=right, score=score: best_of_k(right, score, k),
        }.items():
            seconds[name] += timed(call)[0]
        used, votes = timed(
            lambda problem=problem, answer=answer, right=right: count_votes(
                problem, answer.ravel(), right.ravel()
            )
        )
        seconds["votes"] += used
        used, (_, error) = timed(lambda votes=votes: majority_at_k(votes, k))
        seconds["majority"] += used
        drawn += int((error > 0).sum())
    rows = [(f"{name}, 10,000 x 10,000 x 20", f"{used:.1f} s") for name, used in seconds.items()]
    return [*rows, ("cells of majority that were drawn", f"{drawn / (10_000 * len(k)):.1%}")]


def grid() -> list[Row]:
    """Return seconds of the exact majority on a grid of checkpoints, from samples to scores."""
    rng = np.random.default_rng(2)
    answer = samples(35_000, 256, rng)
    problem = np.repeat(np.arange(35_000), 256)
    k = 2 ** np.arange(8)
    used, votes = timed(lambda: count_votes(problem, answer.ravel(), answer.ravel() == 0))
    more, (_, error) = timed(lambda: majority_at_k(votes, k))
    assert not error.any()
    return [
        ("votes, 35 x 1000 x 256", f"{used:.1f} s"),
        ("majority, 35 x 1000 x 256 x 8, exact", f"{more:.1f} s"),
    ]


def nested() -> list[Row]:
    """Return seconds of a whole measurement: 7 levels x 5 seeds x 1000 problems x 256 samples, 1000 nested bootstraps."""
    rng = np.random.default_rng(3)
    difficulty = rng.normal(0.0, 1.5, 1000)
    tables = []
    for u in np.linspace(18, 20, 7):
        for seed in range(5):
            x = -2.5 + 1.2 * (u - 18) + rng.normal(0.0, 0.15) + difficulty
            right = rng.random((1000, 256)) < 1 / (1 + np.exp(-x))[:, None]
            tables.append(pd.DataFrame({"train_flops": 10.0**u, "seed": seed, "problem": np.repeat(np.arange(1000), 256),
                                        "infer_flops_per_problem": 1e9, "correct": right.ravel()}))  # fmt: skip
    frame = pd.concat(tables, ignore_index=True)
    used, found = timed(
        lambda: exchange_rate(frame, at=(0.4, 0.5, 0.6), method="pass", interval="bootstrap", bootstrap=1000)
    )
    told = ", ".join(f"{rate.eta.value:.2f} ({rate.status})" for rate in found.rates if rate.eta is not None)
    return [(f"pass@k rates of {len(frame):,} samples, 1000 nested bootstraps", f"{used:.1f} s; eta {told}")]


def known() -> list[Row]:
    """Return seconds of the analysis and report of the study exchange_known, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "scaling.cli",
            "report",
            "exchange_known",
            "--out",
            f"{folder}/report",
        ]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return [("exchange_known, analysis and report, from a cold start", f"{used:.1f} s")]


CLAIMS: tuple[Callable[[], list[Row]], ...] = (pass_table, known, nested, grid, large)


def main() -> None:
    """Print the table."""
    print("| what | measured |\n| --- | --- |")
    for claim in CLAIMS:
        for what, measured in claim():
            print(f"| {what} | {measured} |", flush=True)


if __name__ == "__main__":
    main()
