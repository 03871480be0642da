"""Does loss fall as a power law in model size and data, and which size is best for a budget?

Three presets train on Python source, one byte a token. ``cpu`` shares trunks between budgets; ``h200`` gives each
budget its own batch and so its own trunks; ``tune`` shows that the recipe's learning rate is near the optimum.
"""

from dataclasses import dataclass

from scaling import corpora, fitting
from scaling.corpora import Ready
from scaling.errors import InputError
from scaling.records import recipe
from scaling.records.frame import PARAMS, annealed, frame
from scaling.records.spec import CooldownSpec, CorpusData, Spec
from scaling.records.tables import Records
from scaling.sections import (
    conventions,
    extrapolation,
    hyperparameters,
    isoflop,
    law,
    ledger,
    surface,
    trained,
)
from scaling.study import Preset, Study

MIN_STEPS = 300
"""Fewest steps of a point: large models given fewer make false laws."""
MAX_EPOCHS = 4.0
"""Up to four epochs repeated text is nearly as good as new (Muennighoff et al. 2023, arXiv:2305.16264)."""


@dataclass(frozen=True)
class Budget:
    """One isoFLOP curve to be trained."""

    C: float
    """Training FLOPs of each of its points."""
    widths: tuple[int, ...]
    """Model widths: they bracket the optimum."""
    seeds: tuple[int, ...]
    """One trunk a width and seed."""
    batch_tokens: int
    """Tokens an optimiser step."""


CPU = (
    Budget(1e12, (16, 24, 32, 48, 64), (0, 1), 1024),
    Budget(3.2e12, (24, 32, 48, 64, 96), (0, 1), 1024),
    Budget(1e13, (48, 64, 80, 96, 128), (0,), 1024),
)
H200 = (
    Budget(1e13, (48, 64, 80, 96, 128), (0, 1), 4096),
    Budget(1e14, (64, 96, 128, 160, 192), (0, 1), 8192),
    Budget(1e15, (96, 128, 192, 256, 320), (0,), 32768),
    Budget(1e16, (192, 256, 320, 384, 512), (0,), 65536),
)


def cpu() -> list[Spec]:
    """Return one tree a width and seed, with a branch for each budget that holds the width."""
    text = corpora.load("python")
    specs: list[Spec] = []
    for seed in (0, 1):
        for width in sorted({w for budget in CPU for w in budget.widths}):
            model = recipe.llama(width, text.vocabulary, context=128)
            held = [b for b in CPU if width in b.widths and seed in b.seeds]
            tokens = [recipe.tokens_for(model, b.C) for b in held]
            if tokens:
                specs += recipe.tree(model, data(text), tokens, batch_tokens=held[0].batch_tokens, seed=seed)
    return checked(specs, text)


def h200(budgets: tuple[Budget, ...] = H200, corpus: str = "python_site", context: int = 256) -> list[Spec]:
    """Return one trunk and branch a point, in bf16: a batch that suits each budget parts the trunks."""
    text = corpora.load(corpus)
    specs: list[Spec] = []
    for budget in budgets:
        for width in budget.widths:
            model = recipe.llama(width, text.vocabulary, context)
            tokens = recipe.tokens_for(model, budget.C)
            for seed in budget.seeds:
                specs += recipe.whole_runs(
                    model, data(text), [tokens], batch_tokens=budget.batch_tokens, seed=seed, precision="bf16"
                )
    return checked(specs, text)


def tune() -> list[Spec]:
    """Return learning-rate arms at four widths: whole runs at a quarter to four times the recipe's rate.

    The narrowest width has twice the seeds: its loss is the flattest in the rate, and its seeds differ the most.
    """
    text = corpora.load("python")
    specs: list[Spec] = []
    for width in (16, 32, 64, 128):
        model = recipe.llama(width, text.vocabulary, context=128)
        tokens = max(recipe.tokens_for(model, 6e11), 400 * 1024)
        for arm in (0.25, 0.5, 1.0, 2.0, 4.0):
            for seed in (0, 1, 2, 3) if width == 16 else (0, 1):
                specs += recipe.whole_runs(
                    model, data(text), [tokens], batch_tokens=1024, seed=seed, lr_over_recipe=arm
                )
    return checked(specs, text)


def data(text: Ready) -> CorpusData:
    """Return a prepared corpus as part of a spec."""
    return CorpusData(text.name, text.sha256)


def checked(specs: list[Spec], text: Ready) -> list[Spec]:
    """Return the specs if each point has steps enough and repeats its text seldom enough."""
    for spec in specs:
        whole = spec.whole if isinstance(spec, CooldownSpec) else spec
        if whole.decay_start is None:
            continue
        if whole.steps < MIN_STEPS:
            raise InputError(
                f"width {whole.model.width} has {whole.steps} steps, fewer than {MIN_STEPS}: cut the batch"
            )
        if text.epochs(whole.tokens) > MAX_EPOCHS:
            raise InputError(
                f"width {whole.model.width} needs {whole.tokens:.3g} tokens, {text.epochs(whole.tokens):.1f} epochs of "
                f"{text.name} here ({text.train_tokens:,} tokens), more than {MAX_EPOCHS:g}: run where more packages "
                "are installed"
            )
    return specs


def fits(records: Records) -> dict[str, object]:
    """Return the isoFLOP optima, both joint forms, each held out from the top budget, and the conventions for N."""
    rows, excluded = annealed(frame(records))
    below_top = 0.5 * float(rows["C"].max())
    counts = {}
    for params in PARAMS:
        counted, left_out = annealed(frame(records, params=params))
        counts[f"convention: {params}"] = fitting.fit(
            "chinchilla",
            counted,
            bootstrap=1000 if params == "matmul" else 400,
            excluded=left_out,
            convention={"params": params, "flops": "6nd"},
        )
    return {
        "isoflop": fitting.fit_isoflop(rows, excluded=excluded),
        "law": counts["convention: matmul"],
        "p_norm": fitting.fit(
            "p_norm", rows, bootstrap=400, excluded=excluded, convention={"params": "matmul", "flops": "6nd"}
        ),
        "holdout": fitting.holdout("chinchilla", rows, below_top),
        "holdout: p_norm": fitting.holdout("p_norm", rows, below_top, bootstrap=200),
        **counts,
    }


STUDY = Study(
    name="isoflop",
    question="Does loss fall as a power law in model size and data, and which size is best for a compute budget?",
    presets=(
        Preset("cpu", "3 budgets, 8 widths, 20 to 25 minutes on 2 cores", cpu, companions=("tune",)),
        Preset(
            "tune",
            "learning-rate arms at 4 widths, about 20 minutes on 2 cores",
            tune,
            fits=lambda records: {},
            sections=(hyperparameters.hyperparameters, trained.trained, ledger.ledger),
        ),
        Preset(
            "h200",
            "4 budgets to 1e16 FLOPs in bf16; planned for 25 minutes of one H200, not yet run",
            h200,
            device="cuda",
        ),
    ),
    fits=fits,
    sections=(
        isoflop.isoflop,
        law.law,
        surface.surface,
        extrapolation.extrapolation,
        conventions.conventions,
        hyperparameters.hyperparameters,
        trained.trained,
        ledger.ledger,
    ),
)
