"""Does loss fall as a power law in model size and data, and which size is best for a budget?"""

import numpy as np

from scaling import corpora, fitting
from scaling.records import recipe
from scaling.records.frame import frame
from scaling.records.spec import CorpusData, Spec
from scaling.records.tables import Records
from scaling.sections import extrapolation, hyperparameters, isoflop, law, ledger, surface
from scaling.study import Preset, Study

CONTEXT = 128
BATCH_TOKENS = 1024
MIN_STEPS = 400
"""Fewest steps of a run: large models given fewer make false laws."""
BUDGETS = {1e12: (16, 24, 32, 48, 64), 3.2e12: (24, 32, 48, 64, 96), 1e13: (32, 48, 64, 96, 128)}
"""FLOPs of each budget and the widths that bracket its optimum."""
SEEDS = {1e12: (0, 1), 3.2e12: (0, 1), 1e13: (0,)}
"""Trunks a size: two up to the middle budget."""


def text(name: str) -> CorpusData:
    """Return the corpus of this machine as a spec's data."""
    ready = corpora.load(name)
    return CorpusData(ready.name, ready.sha256)


def cpu() -> list[Spec]:
    """Return the grid: one tree a width and seed, with a branch at each budget that holds the width."""
    data = text("python")
    specs: list[Spec] = []
    for seed in (0, 1):
        for width in sorted({w for widths in BUDGETS.values() for w in widths}):
            model = recipe.llama(width, 256, CONTEXT)
            ends = [
                recipe.tokens_for(model, budget)
                for budget, widths in BUDGETS.items()
                if width in widths and seed in SEEDS[budget]
            ]
            if ends:
                specs += recipe.tree(model, data, ends, batch_tokens=BATCH_TOKENS, seed=seed)
    return specs


def tune() -> list[Spec]:
    """Return learning-rate arms at four widths: whole runs at a quarter to four times the recipe's rate."""
    data = text("python")
    specs: list[Spec] = []
    for width in (16, 32, 64, 128):
        model = recipe.llama(width, 256, CONTEXT)
        for arm in (0.25, 0.5, 1.0, 2.0, 4.0):
            for seed in (0, 1):
                tokens = max(recipe.tokens_for(model, 6e11), MIN_STEPS * BATCH_TOKENS)
                specs += recipe.whole_runs(
                    model, data, [tokens], batch_tokens=BATCH_TOKENS, seed=seed, lr_over_recipe=arm
                )
    return specs


def fits(records: Records) -> dict[str, object]:
    """Return the isoFLOP optima, the Chinchilla law of the same runs, and that law held out from the top budget."""
    rows = frame(records)
    rows = rows[rows["annealed"]]
    convention = {"params": "matmul", "flops": "exact"}
    cut = float(np.sqrt(10) ** -0.5 * rows["C"].max())
    return {
        "isoflop": fitting.fit_isoflop(rows),
        "law": fitting.fit("chinchilla", rows, convention=convention),
        "holdout": fitting.holdout("chinchilla", rows, cut, convention=convention),
    }


STUDY = Study(
    name="isoflop",
    question="Does loss fall as a power law in model size and data, and which size is best for a compute budget?",
    presets=(
        Preset("cpu", "3 budgets, 7 widths, 25 minutes on 2 cores", cpu, companions=("tune",)),
        Preset("tune", "learning-rate arms at 4 widths, 8 minutes on 2 cores", tune),
    ),
    fits=fits,
    sections=(
        isoflop.isoflop,
        law.law,
        surface.surface,
        extrapolation.extrapolation,
        hyperparameters.hyperparameters,
        ledger.ledger,
    ),
)
