"""Claims: a fit takes milliseconds, ends at an objective that nobody else's is below, and costs grow linearly.

    python benchmarks/fitting.py [--full] [--parts speed,scale,command] [--peers PYTHON]

speed: CPU seconds on one core, best of 5. `search` is the engine's optimum alone (the design, starts, polish, E = 0 as
    well), `fit` is all that a user gets without draws, with its evidence; medians over 25 data sets. Then the same with
    4000 bootstrap draws, against the reference procedure, written here as the published replication of Hoffmann et al.
    2022 has it (L-BFGS-B from 4500 starts with numerical gradients, a bootstrap with one start a draw), and against the
    PyPI packages `chinchilla` and `simple-scaling-laws` where they are installed (extra `bench`; --peers names
    another interpreter that has them). Every answer is judged by one objective, the sum of Huber's loss on log residuals.
scale: a whole fit by rows and draws, with the exponents of its cost.
command: `scaling fit` in a process of its own, with 1000 draws.

Each task runs alone in a process with one thread; memory is the peak resident size of that process (ru_maxrss), with
all that it imports. Without --full a tenth of the reference is run and its time multiplied. Data: the 240 points of the
catalogue's `chinchilla_epoch`, or as many simulated ones where they cannot be had.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

STARTS, DRAWS, DELTA = 4500, 4000, 1e-3
SETS, REPEATS = 25, 5
TIGHT, LOOSE = 1e-12, 2.220446049250313e-09
"""Tolerances of the reference's draws: one that lets most of them arrive, and scipy's default."""
SCALE_ROWS, SCALE_DRAWS = (1_000, 10_000, 100_000), (100, 300, 1000)
THREADS = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
TRUTH = {"E": 1.82, "A": 478.0, "B": 2143.0, "alpha": 0.347, "beta": 0.367}
PARAMETERS = tuple(TRUTH)
Answer = dict[str, Any]


def best(call: Callable[[], Any], repeats: int = REPEATS) -> tuple[float, Any]:
    """Return the least CPU seconds of a call, after one that does not count, and what it gave."""
    found, seconds = call(), []
    for _ in range(repeats):
        begun = time.process_time()
        found = call()
        seconds.append(time.process_time() - begun)
    return min(seconds), found


def objective(values: list[float], N: np.ndarray, D: np.ndarray, loss: np.ndarray) -> float:
    """Return the sum of Huber's loss of the log residuals at E, A, B, alpha, beta."""
    E, A, B, alpha, beta = values
    size = np.abs(np.log(E + A / N**alpha + B / D**beta) - np.log(loss))
    inner = np.minimum(size, DELTA)
    return float(np.sum(inner * (size - 0.5 * inner)))


# The reference: theta is (log A, log B, log E, alpha, beta).


def reference_objective(
    theta: np.ndarray, log_N: np.ndarray, log_D: np.ndarray, log_loss: np.ndarray, weights: np.ndarray
) -> float:
    """Return the weighted sum of Huber's loss of log residuals, the law through logsumexp.

    Written out, because scipy's logsumexp and huber take three times as long on so few rows.
    """
    a, b, e, alpha, beta = theta
    parts = np.stack([a - alpha * log_N, b - beta * log_D, np.full_like(log_N, e)])
    most = parts.max(axis=0)
    size = np.abs(most + np.log(np.exp(parts - most).sum(axis=0)) - log_loss)
    inner = np.minimum(size, DELTA)
    return float(weights @ (inner * (size - 0.5 * inner)))


def reference_start(options: Answer, frame: pd.DataFrame) -> Answer:
    """Return the lowest end from the first `count` of the grid's starts, in random order."""
    from scipy.optimize import minimize

    grid = itertools.product(
        np.arange(0, 30, 5), np.arange(0, 30, 5), np.arange(-1, 1.5, 0.5), *[np.arange(0, 2.5, 0.5)] * 2
    )
    chosen = np.random.default_rng(0).permutation(np.array(list(grid)))[: options["count"]]
    data = (*np.log(frame[["N", "D", "loss"]].to_numpy().T), np.ones(len(frame)))
    begun = time.process_time()
    with np.errstate(all="ignore"):
        ends = [minimize(reference_objective, start, args=data, method="L-BFGS-B") for start in chosen]
    seconds = time.process_time() - begun
    a, b, e, alpha, beta = min(ends, key=lambda end: end.fun).x.tolist()
    return {"seconds": seconds, "values": [float(np.exp(e)), float(np.exp(a)), float(np.exp(b)), alpha, beta]}


def reference_draws(options: Answer, frame: pd.DataFrame) -> Answer:
    """Return the objective that each bootstrap draw ends at, from one start: the answer for all rows.

    With scipy's own tolerance, 2e-9 of max(f, 1), the objective of .001 stops far from the minimum of most draws.
    """
    from scipy.optimize import minimize

    E, A, B, alpha, beta = options["values"]
    start = np.array([np.log(A), np.log(B), np.log(E), alpha, beta])
    data = tuple(np.log(frame[["N", "D", "loss"]].to_numpy().T))
    weights = counts(len(frame))[: options["count"]]
    begun = time.process_time()
    how = {"method": "L-BFGS-B", "options": {"ftol": options["ftol"], "maxfun": 100_000}}
    ends = [minimize(reference_objective, start, args=(*data, w), **how) for w in weights]
    return {"seconds": time.process_time() - begun, "objectives": [float(end.fun) for end in ends]}


def counts(rows: int) -> np.ndarray:
    """Return how often each row counts in each of DRAWS bootstrap draws, the ones of seed 0."""
    taken = np.random.default_rng(0).integers(rows, size=(DRAWS, rows))
    return np.stack([np.bincount(one, minlength=rows) for one in taken])


# Ours.


def our_sets(options: Answer, frame: pd.DataFrame) -> Answer:
    """Return seconds of the engine's search and of a whole fit, one each for the data set and others like it."""
    from scaling.fitting import fit

    searches, fits, values = [], [], []
    for number in range(SETS):
        own = frame if number == 0 else other_noise(frame, options["values"], number)
        columns = {name: own[name].to_numpy() for name in ("N", "D", "loss")}
        seconds, found = best(lambda columns=columns: engine_search(columns))
        searches.append(seconds)
        values.append(float(found.value[0]))
        fits.append(best(lambda own=own: fit("chinchilla", own, bootstrap=0))[0])
    return {"search": searches, "fit": fits, "objective": values[0]}


def engine_search(columns: dict[str, np.ndarray]) -> Any:
    """Return the lowest minimum as `fit` finds it in columns N, D and loss, and nothing else."""
    from scaling.fitting import minima
    from scaling.fitting.design import Design
    from scaling.fitting.engine import search
    from scaling.fitting.objective import Objective
    from scaling.fitting.problems import Problems
    from scaling.laws import Chinchilla

    design = Design.of(Chinchilla, columns, columns["loss"])
    return search(Problems.of(design, Objective(), np.ones((1, design.rows))), most=minima.STARTS).best(1)[1]


def other_noise(frame: pd.DataFrame, values: list[float], seed: int) -> pd.DataFrame:
    """Return the table with its residuals about the law dealt out again, with replacement."""
    E, A, B, alpha, beta = values
    law = E + A / frame["N"] ** alpha + B / frame["D"] ** beta
    residuals = np.log(frame["loss"] / law).to_numpy()
    drawn = np.random.default_rng(seed).choice(residuals, size=len(residuals))
    return frame.assign(loss=law * np.exp(drawn))


def our_draws(options: Answer, frame: pd.DataFrame) -> Answer:
    """Return seconds of the optimum and DRAWS draws on the engine alone, and each draw's objective."""
    from scaling.fitting.design import Design
    from scaling.fitting.draws import fit_draws
    from scaling.fitting.minima import local_minima
    from scaling.fitting.objective import Objective
    from scaling.fitting.problems import Problems
    from scaling.laws import Chinchilla
    from scaling.resampling import pairs

    columns = {name: frame[name].to_numpy() for name in ("N", "D", "loss")}

    def run() -> tuple[Design, np.ndarray]:
        design = Design.of(Chinchilla, columns, columns["loss"])
        theta, _, _ = local_minima(design, Objective())
        drawn = pairs(design.rows, DRAWS, np.random.default_rng(0))
        return design, fit_draws(design, Objective(), drawn, theta)[0]

    seconds, (design, ends) = best(run)
    problems = Problems.of(design, Objective(), counts(design.rows).astype(float))
    value = problems.value(Chinchilla.to_theta(ends, design.centre))
    return {"seconds": seconds, "objectives": value.tolist()}


def our_fit(options: Answer, frame: pd.DataFrame) -> Answer:
    """Return seconds of a whole fit with draws, once or at its best, of the rows given or simulated."""
    from scaling.fitting import fit

    own = simulated(options["rows"]) if "rows" in options else frame

    def run() -> Any:
        return fit("chinchilla", own, bootstrap=options["draws"])

    if "rows" in options:
        begun = time.process_time()
        run()
        return {"seconds": time.process_time() - begun}
    seconds, found = best(run)
    return {"seconds": seconds, "values": found.law.values().tolist()}


def simulated(rows: int) -> pd.DataFrame:
    """Return rows at log-uniform N and D with noise of 1 %."""
    rng = np.random.default_rng(rows)
    N, D = 10 ** rng.uniform(6, 10, rows), 10 ** rng.uniform(8, 12, rows)
    law = TRUTH["E"] + TRUTH["A"] / N ** TRUTH["alpha"] + TRUTH["B"] / D ** TRUTH["beta"]
    return pd.DataFrame({"N": N, "D": D, "loss": law * np.exp(rng.normal(0, 0.01, rows))})


# The peers.


def peer_chinchilla(options: Answer, frame: pd.DataFrame) -> Answer:
    """Return the answer of `chinchilla`, log_huber with delta 1e-3, from its README's grid or Hoffmann's."""
    from functools import partial

    import chinchilla
    from chinchilla._metrics import log_huber

    grids = {
        "README": {
            "E": np.linspace(1, 2, 5),
            "a": np.linspace(1, 10, 5),
            "b": np.linspace(1, 10, 5),
            "alpha": np.linspace(0.1, 0.7, 5),
            "beta": np.linspace(0.1, 0.7, 5),
        },
        "Hoffmann": {
            "e": np.arange(-1, 1.5, 0.5),
            "a": np.arange(0, 30, 5),
            "b": np.arange(0, 30, 5),
            "alpha": np.arange(0, 2.5, 0.5),
            "beta": np.arange(0, 2.5, 0.5),
        },
    }
    with tempfile.TemporaryDirectory() as folder:
        frame.assign(C=6 * frame["N"] * frame["D"]).to_csv(Path(folder) / "df.csv", index=False)
        peer = chinchilla.Chinchilla(
            folder, grids[options["grid"]], loss_fn=partial(log_huber, delta=DELTA), log_level=40
        )
        begun = time.process_time()
        with np.errstate(all="ignore"):
            peer.fit(parallel=False)
        seconds = time.process_time() - begun
    return {"seconds": seconds, "values": [float(getattr(peer, name)) for name in PARAMETERS]}


def peer_simple(options: Answer, frame: pd.DataFrame) -> Answer:
    """Return the answer of `simple-scaling-laws`, weighted least squares of the loss, with DRAWS draws."""
    import simple_scaling_laws

    table = pd.DataFrame(
        {
            "training_run_id": [f"run{k}" for k in range(len(frame))],
            "model_size__N": frame["N"],
            "dataset_size__D": frame["D"],
            "test_loss__nats": frame["loss"],
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.csv"
        table.to_csv(path, index=False)
        begun = time.process_time()
        model = simple_scaling_laws.fit(path, n_draws=DRAWS, seed=0)
        seconds = time.process_time() - begun
    values = dict(model.params("test_loss__nats"))
    # it divides inputs by their geometric means, and its coefficients are those of the quotients
    for coefficient, exponent, name in (("A", "alpha", "N"), ("B", "beta", "D")):
        values[coefficient] *= float(np.exp(values[exponent] * np.log(frame[name]).mean()))
    return {"seconds": seconds, "values": [float(values[name]) for name in PARAMETERS]}


TASKS: dict[str, Callable[[Answer, pd.DataFrame], Answer]] = {
    task.__name__: task
    for task in (reference_start, reference_draws, our_sets, our_draws, our_fit, peer_chinchilla, peer_simple)
}


def run(task: str, table: Path, python: str = sys.executable, **options: Any) -> Answer:
    """Return what a task of this file gives in a process of its own, with its peak memory in GB."""
    environment = os.environ | {f"{name}_NUM_THREADS": "1" for name in THREADS}
    environment |= {"POLARS_MAX_THREADS": "1", "MPLBACKEND": "agg"}
    command = [python, __file__, "--task", task, "--table", str(table), "--options", json.dumps(options)]
    try:
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except OSError as error:
        return {"error": str(error)}
    if ended.returncode:
        return {"error": (ended.stderr.strip().splitlines() or ["no reason given"])[-1]}
    return json.loads(ended.stdout.strip().splitlines()[-1])


def child(task: str, table: Path, options: str) -> None:
    """Run one task and print its answer as JSON."""
    found = TASKS[task](json.loads(options), pd.read_csv(table))
    unit = 1 if sys.platform == "darwin" else 1024
    found["gigabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
    print(json.dumps(found))


def data(table: Path) -> tuple[pd.DataFrame, str]:
    """Write the 240 points, or as many simulated ones, and return them with what they are."""
    from scaling import InputError, dataset

    try:
        frame, what = dataset("chinchilla_epoch")[["N", "D", "loss"]], "the 240 points of chinchilla_epoch"
    except (InputError, OSError) as error:
        frame, what = simulated(240), f"240 simulated points, because the catalogue's cannot be had: {error}"
    frame.to_csv(table, index=False)
    return frame, what


def speed(folder: Path, starts: int, draws: int, python: str, grids: list[str]) -> None:
    """Print the table of one fit and of a fit with draws, ours, the reference's and the peers'."""
    table = folder / "points.csv"
    frame, what = data(table)
    columns = tuple(frame[name].to_numpy() for name in ("N", "D", "loss"))
    whole = run("our_fit", table, draws=DRAWS)
    sets = run("our_sets", table, values=whole["values"])
    engine = run("our_draws", table)
    reference = run("reference_start", table, count=starts)
    loose, bootstrap = (
        run("reference_draws", table, count=draws, values=reference["values"], ftol=ftol)
        for ftol in (LOOSE, TIGHT)
    )
    lowest = objective(whole["values"], *columns)
    fit_seconds = reference["seconds"] * STARTS / starts
    part = f" ({starts} of {STARTS} starts, {draws} of {DRAWS} draws; time multiplied)"
    reached = objective(reference["values"], *columns)

    print(f"\n{what}; CPU seconds, best of {REPEATS} (reference and peers: once)\n")
    print("| procedure | CPU s | objective | ours is faster by | peak GB |")
    print("| :--- | ---: | ---: | ---: | ---: |")
    search, one = (float(np.median(sets[name])) for name in ("search", "fit"))

    def line(name: str, seconds: float, value: float | None, rival: float | None, memory: float) -> None:
        times = "" if rival is None else f"{seconds / rival:,.0f}"
        shown = "" if value is None else f"{value:.13g}"
        print(f"| {name} | {seconds:.3g} | {shown} | {times} | {memory:.2f} |", flush=True)

    line(f"ours: search, median of {SETS} sets", search, sets["objective"], None, sets["gigabytes"])
    line(f"ours: whole fit without draws, median of {SETS} sets", one, lowest, None, sets["gigabytes"])
    line(f"ours: engine, optimum + {DRAWS} draws", engine["seconds"], lowest, None, engine["gigabytes"])
    line(f"ours: whole fit with {DRAWS} draws", whole["seconds"], lowest, None, whole["gigabytes"])
    note = part if starts < STARTS or draws < DRAWS else ""
    line(f"reference: {STARTS} starts{note}", fit_seconds, reached, search, reference["gigabytes"])
    for name, drawn in ((f"ftol {TIGHT:g}", bootstrap), ("scipy's own ftol", loose)):
        seconds = fit_seconds + drawn["seconds"] * DRAWS / draws
        name = f"reference: the same + {DRAWS} draws with {name}"
        line(name, seconds, reached, whole["seconds"], drawn["gigabytes"])
    rivals = [reached]
    for grid in grids:
        found = run("peer_chinchilla", table, python, grid=grid)
        if "error" in found:
            print(f"| chinchilla, {grid} grid: not run ({found['error']}) | | | | |", flush=True)
            break
        rivals.append(objective(found["values"], *columns))
        line(f"PyPI chinchilla, {grid} grid", found["seconds"], rivals[-1], search, found["gigabytes"])
    found = run("peer_simple", table, python)
    if "error" in found:
        print(f"| simple-scaling-laws: not run ({found['error']}) | | | | |", flush=True)
    else:
        rivals.append(objective(found["values"], *columns))
        name = f"PyPI simple-scaling-laws, {DRAWS} draws"
        line(name, found["seconds"], rivals[-1], whole["seconds"], found["gigabytes"])
    print(f"\nLowest objective of the others minus ours, as a share of ours: {min(rivals) / lowest - 1:.2g}.")
    ours = np.array(engine["objectives"][:draws])
    for name, drawn in ((f"ftol {TIGHT:g}", bootstrap), ("scipy's own ftol", loose)):
        gap = np.array(drawn["objectives"]) / ours - 1
        print(
            f"Of {draws} draws of the reference with {name}, {np.sum(gap > 1e-4)} end more than 1e-4 above ours (the "
            f"middle one {np.median(gap):.1e}) and {np.sum(gap < -1e-9)} more than 1e-9 below, as shares of ours."
        )
    print(
        f"Best of {REPEATS} of each set, ms: search {1e3 * min(sets['search']):.2f} to {1e3 * max(sets['search']):.2f}, "
        f"whole fit {1e3 * min(sets['fit']):.1f} to {1e3 * max(sets['fit']):.1f}."
    )
    if "error" not in found:
        squares(found["values"], frame)


def squares(theirs: list[float], frame: pd.DataFrame) -> None:
    """Print the peer's own objective, least squares of the loss, at its answer and at ours."""
    from scaling.fitting import fit

    def rss(values: list[float]) -> float:
        E, A, B, alpha, beta = values
        return float(np.sum((E + A / frame["N"] ** alpha + B / frame["D"] ** beta - frame["loss"]) ** 2))

    seconds, found = best(lambda: fit("chinchilla", frame, loss="mse", residual="raw", bootstrap=DRAWS), 1)
    print(
        f"In simple-scaling-laws' own objective, squares of the loss: it {rss(theirs):.12g}, ours with --loss mse "
        f"--residual raw {rss(found.law.values().tolist()):.12g} in {seconds:.2f} CPU s with {DRAWS} draws."
    )


def scale(folder: Path) -> None:
    """Print seconds and memory of a whole fit by rows and draws, and the exponents."""
    table = folder / "none.csv"
    pd.DataFrame({"N": [1.0], "D": [1.0], "loss": [1.0]}).to_csv(table, index=False)
    print("\nWhole fit of 5 parameters to simulated rows, once each: CPU s (peak GB)\n")
    print("| rows | " + " | ".join(f"{draws} draws" for draws in SCALE_DRAWS) + " |")
    print("| ---: |" + " ---: |" * len(SCALE_DRAWS))
    seconds = np.zeros((len(SCALE_ROWS), len(SCALE_DRAWS)))
    for i, rows in enumerate(SCALE_ROWS):
        cells = []
        for k, draws in enumerate(SCALE_DRAWS):
            found = run("our_fit", table, rows=rows, draws=draws)
            seconds[i, k] = found["seconds"]
            cells.append(f"{found['seconds']:.2f} ({found['gigabytes']:.2f})")
        print(f"| {rows:,} | " + " | ".join(cells) + " |", flush=True)

    def slope(x: tuple[int, ...], y: np.ndarray) -> float:
        return float(np.polyfit(np.log(x), np.log(y), 1)[0])

    print(
        f"\nExponent of the cost in rows, at {SCALE_DRAWS[-1]} draws: {slope(SCALE_ROWS, seconds[:, -1]):.2f}, "
        f"from {SCALE_ROWS[-2]:,} rows on {slope(SCALE_ROWS[-2:], seconds[-2:, -1]):.2f}; in draws, at "
        f"{SCALE_ROWS[-1]:,} rows: {slope(SCALE_DRAWS, seconds[-1]):.2f}."
    )


def command(folder: Path) -> None:
    """Print the CPU seconds of `scaling fit` as a user starts it."""
    table = folder / "points.csv"
    _, what = data(table)
    line = [
        sys.executable,
        "-m",
        "scaling.cli",
        "fit",
        str(table),
        "--law",
        "chinchilla",
        "--bootstrap",
        "1000",
    ]
    environment = os.environ | {f"{name}_NUM_THREADS": "1" for name in THREADS}
    seconds = []
    for _ in range(REPEATS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(line, env=environment, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(
        f"\n`scaling fit` with 1000 draws in a new process, {what}: {min(seconds):.2f} CPU s at best, "
        f"{np.median(seconds):.2f} in the middle of {REPEATS}."
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", default="speed,scale,command", help="which, separated by commas")
    parser.add_argument("--full", action="store_true", help="all starts and draws of the reference")
    parser.add_argument("--reference-starts", type=int, default=STARTS // 10)
    parser.add_argument("--reference-draws", type=int, default=DRAWS // 10)
    parser.add_argument("--peers", default=sys.executable, help="interpreter that has the peers")
    parser.add_argument("--peer-grids", default="README,Hoffmann", help="grids that chinchilla starts from")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    parser.add_argument("--table", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--options", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        child(options.task, options.table, options.options)
        return
    starts = STARTS if options.full else options.reference_starts
    draws = DRAWS if options.full else options.reference_draws
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in options.parts.split(","):
            if part == "speed":
                speed(folder, starts, draws, options.peers, options.peer_grids.split(","))
            elif part == "scale":
                scale(folder)
            elif part == "command":
                command(folder)
            else:
                parser.error(f"no part is called {part!r}; known: speed, scale, command")


if __name__ == "__main__":
    main()
