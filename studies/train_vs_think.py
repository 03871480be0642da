"""One compute axis against the other, measured: training against longer thinking, voting, and the best of several.

Words in the group S5. Axis A varies pretraining: branches of one trunk that end after few or many tokens. Axis B varies RL
steps from one of these branches. On both, inference is spent by voting and by choosing among samples; on axis A also by
longer thinking, which the prompt asks for. What is measured, and where rates are asked, was fixed before the runs.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from scaling.errors import FitError, InputError
from scaling.exchange import Exchange, exchange_rate, sensitivity
from scaling.exchange.planted import planted
from scaling.exchange.result import Unmeasured
from scaling.records import recipe, rl_recipe
from scaling.records.sampled import counts, sampled
from scaling.records.spec import CooldownSpec, Spec
from scaling.records.tables import Records
from scaling.reporting import numbers
from scaling.reporting.document import Section
from scaling.sections import ledger, rl_curves, think_checks, think_rates
from scaling.sections.think_checks import Conventions, Plants
from scaling.study import Analysis, Preset, Study

TASK = "s5"
DIFFICULTIES = range(1, 11)
"""Word lengths in pretraining."""
STRIDES = ("1", "2", "3", "direct")
"""Thinking budgets taught and asked for: the state after every letter, every second, every third, none."""
TOKENS = (1_400_000, 2_000_000, 2_800_000, 4_000_000, 5_700_000, 8_000_000, 11_300_000, 16_000_000)
"""Axis A: pretraining tokens of the branches, half an octave apart, over a decade."""
FROM = 8_000_000
"""Axis B starts from this branch."""
STEPS = (2, 4, 8, 16, 32, 64)
"""Axis B: RL steps."""
WORD = 6
"""Length of the words that are asked."""
MOST = 64
"""Most tokens of a completion; the longest right one has 43."""
AT = (0.25, 0.5, 0.75, 0.9)
"""Scores at which rates are asked."""
ASKED = tuple(f"asked {stride}" for stride in STRIDES)
CONTROLS = ("asked 1", "asked 2", "asked 3", "forced 1", "forced 2", "forced 3", "cut 12", "cut 24")
"""Other ways to set a budget, on the ends of both axes: after RL the control characters may mean less than they did."""


def axes(
    seeds: Sequence[int], tokens: Sequence[int], start: int, steps: Sequence[int], problems: int, each: int
) -> list[Spec]:
    """Return pretraining trees, RL from one branch of each, and samples of every checkpoint."""
    specs: list[Spec] = []
    data = rl_recipe.traces(TASK, DIFFICULTIES, STRIDES)
    model = recipe.llama(64, 53, context=128)
    for seed in seeds:
        trunk, *branches = recipe.tree(model, data, tokens, batch_tokens=2048, seed=seed)
        specs += [trunk, *branches]
        for branch in branches:
            specs += [
                rl_recipe.samples(branch, TASK, WORD, ASKED, max_tokens=MOST, problems=problems, each=each),
                rl_recipe.samples(
                    branch, TASK, WORD, ["free"], max_tokens=MOST, problems=problems, each=each, verifier=True
                ),
            ]
        first = branches[list(tokens).index(start)]
        assert isinstance(first, CooldownSpec)
        learned = rl_recipe.learning(
            first, TASK, [WORD], steps[-1], max_tokens=MOST, seed=seed, checkpoints=steps
        )
        specs.append(learned)
        for step in steps:
            specs.append(
                rl_recipe.samples(
                    learned,
                    TASK,
                    WORD,
                    ["free"],
                    max_tokens=MOST,
                    step=step,
                    problems=problems,
                    each=each,
                    verifier=True,
                )
            )
        for one in (first, learned):
            specs.append(
                rl_recipe.samples(
                    one, TASK, WORD, CONTROLS, max_tokens=MOST, problems=problems, each=16, seed=0
                )
            )
    return specs


AXES = {"A": "pretraining", "B": "RL"}
METHODS = {
    "longer thinking": "budget",
    "majority of k": "majority",
    "best of k, learned": "best_of",
    "best of k, oracle": "pass",
}
"""What each method is called by ``exchange_rate``."""
DRAWS, PLANTED = 400, 100
"""Draws for bands, and simulated grids for each planted rate."""


def tables(records: Records) -> dict[str, pd.DataFrame]:
    """Return the table of each axis and method: counts by budget for thinking, samples for the others.

    Runs of one RL level sampled different numbers of tokens and so differ in compute; they are given their level's mean.
    """
    parallel = {
        "A": sampled(records, ["free"], ["cooldown"], WORD),
        "B": sampled(records, ["free"], ["rl"], WORD),
    }
    parallel["A"] = parallel["A"].drop(columns="pretrain_flops")
    by_step = parallel["B"].drop_duplicates(["run", "step"]).groupby("step")["train_flops"].mean()
    parallel["B"] = parallel["B"].assign(train_flops=parallel["B"]["step"].map(by_step))
    thinking = counts(sampled(records, ASKED, ["cooldown"], WORD)).drop(columns="pretrain_flops")
    unpriced = "infer_flops_verifier_per_problem"
    found = {"A: longer thinking": thinking}
    for axis, rows in parallel.items():
        bare = rows.drop(columns=["budget", unpriced, "difficulty"])
        found |= {
            f"{axis}: majority of k": bare,
            f"{axis}: best of k, learned": rows.drop(columns=["budget", "difficulty"]),
            f"{axis}: best of k, oracle": bare,
        }
    return found


def fits(records: Records) -> dict[str, Any]:
    """Return every method's rates on both axes, rates planted in the same designs, and the rates under every convention."""
    frames = tables(records)
    rates = {name: rate(frame, name) for name, frame in frames.items()}
    measured = {name: one for name, one in rates.items() if isinstance(one, Exchange)}
    return {
        **rates,
        "planted": Plants({name: planted(one, AT[1], repetitions=PLANTED) for name, one in measured.items()}),
        "conventions": Conventions(
            {
                name: sensitivity(frames[name], AT, method=METHODS[name[3:]], bootstrap=0)[0]
                for name in measured
                if name.startswith("B")
            }
        ),
    }


def rate(frame: pd.DataFrame, name: str) -> Exchange | Unmeasured:
    """Return the rates of a method, or why there are none."""
    try:
        return exchange_rate(frame, at=AT, method=METHODS[name[3:]], bootstrap=DRAWS)
    except (FitError, InputError) as error:
        return Unmeasured(name, str(error))


def overview(analysis: Analysis) -> Section:
    """Return all rates side by side."""
    return think_rates.overview(analysis, AXES)


def pretraining(analysis: Analysis) -> list[Section]:
    """Return axis A."""
    prose = (
        f"Branches of one trunk a seed, from {numbers.quantity(TOKENS[0])} to {numbers.quantity(TOKENS[-1])} tokens; "
        f"words of {WORD} letters that no training saw. Longer thinking is asked for in the prompt, and the other methods "
        "put together samples of prompts that ask for nothing.",
    )
    return think_rates.axis_section(analysis, "A", "Pretraining", prose, "longer thinking")


def learning(analysis: Analysis) -> list[Section]:
    """Return axis B."""
    prose = (
        f"{STEPS[0]} to {STEPS[-1]} RL steps from the branch of {numbers.quantity(FROM)} tokens. Training compute is that "
        "of RL alone here, every rollout and discarded group in it, and so leaves out step 0; with pretraining the levels "
        "lie within a small part of a decade (see conventions).",
    )
    return think_rates.axis_section(analysis, "B", "RL", prose, "majority of k")


def checks(analysis: Analysis) -> list[Section]:
    """Return what the rates rest on."""
    made = [
        think_checks.planted_section(analysis),
        think_checks.conventions_section(analysis, "B: best of k, learned"),
        think_checks.settings_section(analysis, {"cooldown": "pretraining", "rl": "RL"}),
        think_checks.verifier_section(analysis),
    ]
    return [section for section in made if section is not None]


STUDY = Study(
    name="train_vs_think",
    question="What are longer thinking, voting and choosing among samples worth in training compute?",
    presets=(
        Preset(
            "cpu",
            "8 pretraining levels and 6 RL levels x 3 seeds, 20 to 25 minutes on 2 cores",
            lambda: axes((0, 1, 2), TOKENS, FROM, STEPS, 128, 64),
        ),
        Preset(
            "smoke",
            "3 short levels, under a minute; far too short for a rate",
            lambda: axes((0,), (100_000, 200_000, 400_000), 400_000, (1, 2), 16, 8),
        ),
        Preset("pilot", "x", lambda: axes((100,), TOKENS, FROM, STEPS, 128, 64)),
    ),
    fits=fits,
    sections=(overview, pretraining, learning, checks, rl_curves.rl_curves, ledger.ledger),
)
