"""How often 95 % intervals of an exchange rate hold the truth: four truths x runs of their own or shared x 3, 5, 8 seeds.

5 training levels over 2 decades x 5 budgets over 2 decades x 128 problems x 64 samples; runs differ by .2 on the logit
scale, problems by 1.5. Prints a row a setting for each way to make an interval; `--repetitions 1000` takes an hour of one
core, `--part K/N` every N-th setting.
"""

import argparse
import sys
from itertools import product

import numpy as np
import pandas as pd

from scaling.errors import FitError
from scaling.exchange import forms, links
from scaling.exchange.arrange import design_of
from scaling.exchange.design import Design
from scaling.exchange.fitter import Fitter
from scaling.exchange.one_rate import one_rate
from scaling.exchange.simulation import Setting, simulated, true_rate, with_runs
from scaling.exchange.surface import Surfaces, fit_surfaces
from scaling.exchange.uncertainty import draws_of, left_out

LEVELS, BUDGETS, PROBLEMS, SAMPLES = 5, 5, 128, 64
RUNS, DIFFICULTY = 0.2, 1.5
AT, LEVEL, DRAWS = 0.45, 0.95, 200


def truth(name: str) -> Surfaces:
    """A surface of a middling problem, P from .1 to .9."""
    u, v = (a.ravel() for a in np.meshgrid(np.linspace(18, 20, 21), np.linspace(9, 11, 21), indexing="ij"))
    x, z = u - 18, v - 9
    index = x + 0.8 * z
    predictor = {
        "additive": -2 + x + 0.8 * z,
        "single_index": -2.2 + 3.2 * np.tanh(index / 2) + 0.25 * index,
        "saturating": -2.4 + x + 1.8 * (1 - 10**-z),
        "bilinear": -2 + 0.7 * x + 0.5 * z + 0.25 * x * z,
    }[name]
    shares = links.LOGIT.share(predictor)[None]
    return fit_surfaces(forms.find(name), u, v, shares, np.full(len(u), 1e6), links.LOGIT, ceiling=1.0)


def design(seeds: int, shared: bool) -> Design:
    """A design without its scores."""
    cells = [
        {"run": f"{level}-{seed}", "u": u, "v": v, "budget": v, "problem": 0, "score": 0.5}
        for level, u in enumerate(np.linspace(18, 20, LEVELS))
        for seed, v in product(range(seeds), np.linspace(9, 11, BUDGETS))
    ]
    frame = pd.DataFrame(cells)
    found = design_of(frame, 10 ** frame["u"].to_numpy(), 10 ** frame["v"].to_numpy(), read=len(frame))
    shape = (LEVELS * seeds, BUDGETS, PROBLEMS)
    whole = Design(
        **{
            **{name: getattr(found, name) for name in Design.__dataclass_fields__},
            "scores": np.full(shape, 0.5),
            "trials": np.full(shape, float(SAMPLES)),
            "cell_weight": np.full(shape[:2], float(PROBLEMS)),
            "problem_names": tuple(range(PROBLEMS)),
            "problem_group": np.zeros(PROBLEMS, dtype=np.intp),
        }
    )
    return with_runs(whole, shared)


def intervals(one: Design, rng: np.random.Generator) -> dict[str, tuple[float, float, float, float, float]]:
    """Estimate, ends and the piece measured, by the way the interval is made."""
    u, v, score, weight = one.cells
    without = left_out(one)
    found = {}
    for form in ("free", "bilinear"):
        fit = Fitter(forms.find(form), u, v, weight, links.LOGIT, 0.0)
        whole = fit.first(score)
        jackknife = fit(np.concatenate([without.runs, without.problems]))
        tables = {
            "jackknife": None,
            "bootstrap, runs and problems": draws_of(one, DRAWS, rng, students=False),
        }
        if form == "free":
            noise = rng.normal(size=(DRAWS, len(u))) * _noise(one)
            tables["bootstrap with Student's factor"] = draws_of(one, DRAWS, rng)
            tables["bootstrap, samples only"] = np.clip(score + noise, 0, 1)
        for name, table in tables.items():
            drawn = None if table is None else fit(table)
            kind = "jackknife" if table is None else "bootstrap"
            rate = one_rate(one, whole, jackknife, without, drawn, AT, kind, LEVEL)
            if (
                rate.eta is None
                or rate.span is None
                or rate.eta.low is None
                or not np.isfinite(rate.eta.high or np.inf)
            ):
                continue
            assert rate.eta.high is not None
            found[f"{form}, {name}"] = (
                rate.eta.value,
                rate.eta.low,
                rate.eta.high,
                rate.span.low,
                rate.span.high,
            )
    return found


def _noise(one: Design) -> np.ndarray:
    """Standard error of each cell from its samples alone."""
    variance = (one.scores * (1 - one.scores) / SAMPLES).sum(axis=2) / PROBLEMS**2
    level = one.by_level(variance) / one.seeds[:, None]
    return np.sqrt(level[one.there])


def count(name: str, shared: bool, seeds: int, repetitions: int) -> list[dict[str, object]]:
    """One row a way to make an interval."""
    rng = np.random.default_rng([TRUTHS.index(name), shared, seeds])
    setting = Setting(
        design(seeds, shared),
        links.LOGIT,
        RUNS,
        DIFFICULTY,
        np.full((LEVELS * seeds, BUDGETS, PROBLEMS), SAMPLES),
    )
    surface = truth(name)
    rows: dict[str, list[tuple[bool, float, float]]] = {}
    for one in simulated(setting, surface, repetitions, rng):
        try:
            found = intervals(one, rng)
        except FitError:
            continue
        for way, (eta, low, high, first, last) in found.items():
            right = true_rate(setting, surface, AT, first, last)
            rows.setdefault(way, []).append((low <= right <= high, eta - right, high - low))
    out = []
    for way, got in rows.items():
        held, off, width = (np.array(column) for column in zip(*got, strict=True))
        share = held.mean()
        out.append(
            {
                "truth": name, "runs": "shared" if shared else "independent", "seeds": seeds, "interval": way,
                "coverage": round(100 * share, 1), "error": round(100 * np.sqrt(share * (1 - share) / len(got)), 1),
                "bias": round(off.mean(), 4), "width": round(float(np.median(width)), 3),
                "none": repetitions - len(got),
            }
        )  # fmt: skip
    return out


TRUTHS = ("additive", "single_index", "saturating", "bilinear")


def main() -> None:
    """Print the table as tab-separated rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--part", default="0/1", help="K/N: every N-th setting from the K-th")
    chosen = parser.parse_args()
    part, parts = map(int, chosen.part.split("/"))
    settings = list(product((3, 5, 8), (False, True), TRUTHS))[part::parts]
    head = True
    for seeds, shared, name in settings:
        rows = pd.DataFrame(count(name, shared, seeds, chosen.repetitions))
        sys.stdout.write(rows.to_csv(sep="\t", index=False, header=head))
        sys.stdout.flush()
        head = False


if __name__ == "__main__":
    main()
