"""On a language whose entropy and exponents are known exactly: which form, window and design fool a fit?

Santa Fe hides facts of falling frequency in its sentences. A learner that counts, with room for n facts and D tokens
to read, has a loss known in closed form: E, an excess n^-a for want of room and D^-(a / (1 + a)) for want of text.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from scaling import corpora, fitting
from scaling.corpora import santa_fe_laws
from scaling.fitting import Estimate
from scaling.records import recipe
from scaling.records.frame import frame
from scaling.records.spec import CorpusData, CountingSpec, Spec
from scaling.records.tables import Records
from scaling.sections import coverage, known_floor, ledger, two_forms
from scaling.study import Preset, Study

HELDOUT_TOKENS = 2**24
"""Held-out text of each learner: its noise, 3e-4 of the loss, must outweigh the law's own ripple of 6e-5."""
ONE_D = 10**7
"""The single D of the control that fits loss against N alone."""


@dataclass(frozen=True)
class Window:
    """A grid of learners."""

    levels: range
    """Capacities: n = 2^level - 1 facts."""
    tokens: tuple[int, ...]
    """Tokens that learners read."""

    def specs(self, data: CorpusData, seeds: int) -> list[Spec]:
        """Return the window's learners, ``seeds`` times over."""
        return [
            CountingSpec(data, level, self.tokens, HELDOUT_TOKENS, seed)
            for seed in range(seeds)
            for level in self.levels
        ]


def decades(low: float, high: float) -> tuple[int, ...]:
    """Return nine token counts, evenly spaced in their logarithms."""
    return tuple(round(D) for D in np.geomspace(low, high, 9))


WIDE = Window(range(8, 20), decades(1e5, 1e9))
NARROW = Window(range(4, 13), decades(1e4, 1e8))
WIDTHS = (16, 24, 32, 48)
TOKENS = (500_000, 1_000_000, 2_000_000, 4_000_000)
CONTEXT = 128


def grid(seeds: int, widths: tuple[int, ...], tokens: tuple[int, ...]) -> list[Spec]:
    """Return both windows of counting learners, and trees of transformers with two trunks of the narrowest."""
    text = corpora.load("santa_fe")
    data = CorpusData(text.name, text.sha256)
    specs: list[Spec] = []
    for width in widths:
        for seed in (0, 1) if width == min(widths) else (0,):
            model = recipe.llama(width, text.vocabulary, CONTEXT)
            specs += recipe.tree(model, data, tokens, batch_tokens=1024, seed=seed)
    return [*specs, *WIDE.specs(data, seeds), *NARROW.specs(data, seeds)]


def fits(records: Records) -> dict[str, object]:
    """Return coverage by design, both forms on the first repetition, and the transformers' law."""
    rows = frame(records)
    counted = rows[rows["kind"] == "counting"]
    wide = window(counted, WIDE)
    transformers = rows[rows["annealed"] & (rows["kind"] == "cooldown")]
    alpha, beta = santa_fe_laws.exponents()
    E = santa_fe_laws.entropy()
    truth = {"E": E, "alpha": alpha, "beta": beta}
    options = {"bootstrap": 400, "resample": "pairs"}
    first = wide[wide["seed"] == 0]
    one_D = wide[wide["D"] == ONE_D].drop(columns=["D", "C"])
    return {
        "coverage: p-norm, wide window": fitting.coverage("p_norm", by_seed(wide), truth, **options),
        "coverage: additive form, wide window": fitting.coverage(
            "chinchilla", by_seed(wide), truth, **options
        ),
        "coverage: p-norm, narrow window": fitting.coverage(
            "p_norm", by_seed(window(counted, NARROW)), truth, **options
        ),
        "coverage: L(N) at one D": fitting.coverage(
            "power", by_seed(one_D), {"E": E, "alpha": alpha}, **options
        ),
        "p_norm": fitting.fit("p_norm", first, resample="pairs"),
        "additive": fitting.fit("chinchilla", first, resample="pairs"),
        "transformers": fitting.fit("chinchilla", transformers),
        "floor": Estimate(santa_fe_laws.entropy_of_rows(CONTEXT)),
    }


def window(rows: pd.DataFrame, of: Window) -> pd.DataFrame:
    """Return the learners of a window: its tokens and capacities."""
    sizes = [2**level - 1 for level in of.levels]
    return rows[rows["D"].isin(of.tokens) & rows["N"].isin(sizes) & rows["tokens_planned"].eq(max(of.tokens))]


def by_seed(rows: pd.DataFrame) -> list[tuple[int, pd.DataFrame]]:
    """Return the rows of each repetition."""
    return [(int(seed), part) for seed, part in rows.groupby("seed")]


STUDY = Study(
    name="known_entropy",
    question="On a language whose entropy and exponents are known exactly, which form, window and design fool a fit?",
    presets=(
        Preset(
            "cpu",
            "200 repetitions of two windows and 20 transformers, about 15 minutes on 2 cores",
            lambda: grid(200, WIDTHS, TOKENS),
        ),
        Preset(
            "smoke",
            "6 repetitions and 12 short transformers, a minute on 2 cores",
            lambda: grid(6, (16, 24, 32), (100_000, 200_000, 400_000)),
        ),
    ),
    fits=fits,
    sections=(coverage.coverage, two_forms.two_forms, known_floor.known_floor, ledger.ledger),
)
