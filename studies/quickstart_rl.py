"""The second wing in a few minutes: pretraining on worked problems, RL from verified answers, and a first exchange rate.

One seed, so that every rate is labelled "this run"; train_vs_think is the same with three.
"""

from functools import partial
from typing import Any

from scaling.exchange import Exchange, exchange_rate
from scaling.exchange.result import or_unmeasured
from scaling.records import recipe, rl_recipe
from scaling.records.sampled import counts, sampled
from scaling.records.spec import CooldownSpec, Spec
from scaling.records.tables import Records
from scaling.reporting import numbers
from scaling.reporting.document import Section
from scaling.sections import ledger, rl_curves, think_axes, think_checks, think_rates
from scaling.sections.think_compare import Compared
from scaling.study import Analysis, Preset, Study
from scaling.tasks import find

TASK, WORD, MOST = "s5", 6, 64
"""Words of six letters in S5; most tokens of a completion."""
STRIDES = ("1", "2", "3", "direct")
"""Thinking budgets: the state after every letter, every second, every third, none."""
TOKENS = (1_100_000, 2_000_000, 2_800_000, 4_000_000, 5_700_000, 8_000_000, 11_500_000)
"""Pretraining tokens of the branches, over a decade."""
FROM, STEPS = 5_700_000, (16, 48)
"""RL starts from this branch; its checkpoints."""
AT = (0.25, 0.5, 0.75)
"""Scores at which rates are asked."""


def grid(tokens: tuple[int, ...], start: int, steps: tuple[int, ...], problems: int, each: int) -> list[Spec]:
    """Return one pretraining tree, RL from one of its branches, and samples of every checkpoint."""
    data = rl_recipe.traces(TASK, range(1, 11), STRIDES)
    trunk, *branches = recipe.tree(recipe.llama(64, 53, context=128), data, tokens, batch_tokens=2048, seed=0)
    first = branches[tokens.index(start)]
    assert isinstance(first, CooldownSpec)
    learned = rl_recipe.learning(first, TASK, [WORD], steps[-1], max_tokens=MOST, seed=0, checkpoints=steps)
    asked = ["free", *(f"asked {stride}" for stride in STRIDES)]
    sizes: dict[str, Any] = {"max_tokens": MOST, "problems": problems, "each": each}
    return [
        trunk,
        *branches,
        learned,
        *(rl_recipe.samples(branch, TASK, WORD, asked, **sizes) for branch in branches),
        *(rl_recipe.samples(learned, TASK, WORD, ["free"], step=step, **sizes) for step in steps),
    ]


def fits(records: Records) -> dict[str, Any]:
    """Return the rates of longer thinking and of two ways to use several samples, against pretraining."""
    free = sampled(records, ["free"], ["cooldown"], WORD)
    free = free.drop(columns=["budget", "difficulty", "infer_flops_verifier_per_problem"])
    thinking = counts(sampled(records, [f"asked {stride}" for stride in STRIDES], ["cooldown"], WORD))
    tables = {
        "A: longer thinking": (thinking, "budget"),
        "A: majority of k": (free, "majority"),
        "A: best of k, oracle": (free.assign(chance_score=find(TASK).random_chance(WORD)), "pass"),
    }
    rates = {
        name: or_unmeasured(name, partial(exchange_rate, table, at=AT, method=method, bootstrap=400))
        for name, (table, method) in tables.items()
    }
    had = {
        name.removeprefix("A: "): tables[name]
        for name, one in rates.items()
        if isinstance(one, Exchange) and "oracle" not in name
    }
    return {**rates, "compared: A": Compared(had)}


def overview(analysis: Analysis) -> Section:
    """Return all rates side by side."""
    return think_rates.overview(analysis, {"A": "pretraining"})


def pretraining(analysis: Analysis) -> list[Section]:
    """Return the rates with their figures."""
    prose = (
        f"Branches of one trunk, from {numbers.quantity(TOKENS[0])} to {numbers.quantity(TOKENS[-1])} tokens of worked "
        f"problems; asked are words of {WORD} letters. {think_axes.HELD_OUT} One seed: another may give other rates.",
    )
    return think_axes.axis_section(analysis, "A", "Pretraining", prose, "longer thinking")


def settings(analysis: Analysis) -> Section:
    """Return scores by checkpoint and budget."""
    return think_checks.settings_section(analysis, {"cooldown": "pretraining", "rl": "RL"})


STUDY = Study(
    name="quickstart_rl",
    question="What is longer thinking worth in training compute, on a small task of this machine's own making?",
    presets=(
        Preset(
            "cpu",
            "7 pretraining levels and RL, 5 to 8 minutes on 2 cores",
            lambda: grid(TOKENS, FROM, STEPS, 128, 32),
        ),
        Preset(
            "smoke",
            "3 short levels, half a minute; far too short for a rate",
            lambda: grid((100_000, 200_000, 400_000), 400_000, (1, 2), 16, 8),
        ),
    ),
    fits=fits,
    sections=(overview, pretraining, settings, rl_curves.rl_curves, ledger.ledger),
    next_commands={
        "run train_vs_think": "20 to 25 minutes on 2 cores: the same with three seeds, RL levels and a learned verifier",
        "report exchange_known": "what inference was worth on published charts",
    },
)
