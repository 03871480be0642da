"""How does reward grow with RL compute, for three model sizes, and does its first half predict the rest?

Words in the group S5. Three sizes read equally many tokens of worked problems; RL from there is on words of six letters,
checkpoints lie at octaves of steps, and each is asked for 128 words that no training asked. C is all that RL spent by then:
rollouts, discarded groups, forward and backward. What is measured, the cuts, the scores and the rules by which an answer
counts as identified (``scaling.fitting.rewards``) were fixed before the runs.
"""

from collections.abc import Sequence
from typing import Any

from scaling.fitting.reward_scaling import of_records
from scaling.records import recipe, rl_recipe
from scaling.records.pretrain_spec import Precision
from scaling.records.spec import Spec
from scaling.records.tables import Records
from scaling.sections import ledger, rl_curves, rl_reach, rl_scaling
from scaling.study import Preset, Study

TASK = "s5"
DIFFICULTIES = range(1, 11)
"""Word lengths in pretraining."""
STRIDES = ("1", "2", "3", "direct")
"""Thinking budgets taught: the state after every letter, every second, every third, none."""
CONTEXT = 128
WIDTHS = (48, 64, 96)
"""Sizes: .06M, .11M and .34M parameters."""
TOKENS = 5_000_000
"""Pretraining tokens of every size: of 4M and 8M, one seed at width 64 solved 9 and 36 %; a start below 2 % rarely sees a
right answer in a group of 16."""
WORD, MOST = 6, 64
"""Length of the words of RL and of the tests; most tokens of a completion, where the longest right one has 43."""
STEPS = (1, 2, 4, 8, 16, 32, 64, 96, 128)
"""RL steps of the checkpoints."""
ASKED = (0.25, 0.5, 0.75)
"""Scores whose compute is asked for."""


def grid(
    widths: Sequence[int],
    seeds: Sequence[int],
    tokens: int,
    steps: Sequence[int],
    problems: int,
    each: int,
    *,
    word: int = WORD,
    most: int = MOST,
    batch_tokens: int = 2048,
    prompts: int = rl_recipe.PROMPTS,
    precision: Precision = "fp32",
) -> list[Spec]:
    """Return a pretraining run and an RL run of every width and seed, and samples of the start and of each checkpoint."""
    specs: list[Spec] = []
    data = rl_recipe.traces(TASK, DIFFICULTIES, STRIDES)
    sizes: dict[str, Any] = {"max_tokens": most, "problems": problems, "each": each}
    for width in widths:
        model = recipe.llama(width, 53, CONTEXT)
        for seed in seeds:
            (start,) = recipe.whole_runs(
                model, data, [tokens], batch_tokens=batch_tokens, seed=seed, precision=precision
            )
            learned = rl_recipe.learning(
                start, TASK, [word], steps[-1], max_tokens=most, seed=seed, checkpoints=steps, prompts=prompts
            )
            specs += [start, learned, rl_recipe.samples(start, TASK, word, ["free"], **sizes)]
            specs += [rl_recipe.samples(learned, TASK, word, ["free"], step=step, **sizes) for step in steps]
    return specs


LONGER = 8
"""Length of the words of preset h200, whose longest right completion has 55 tokens."""
START = 2_000_000
"""Pretraining tokens of preset h200: of so many, width 128 solved .16 of such words in train_vs_think's, of 5.7M .69, where
little is left to learn."""


def fits(records: Records) -> dict[str, Any]:
    """Return growth by size, predictions beyond the cuts, and compute to reach scores."""
    return {"reward": of_records(records, WORD, ASKED)}


STUDY = Study(
    name="rl_scaling",
    question="How does reward grow with RL compute, for three model sizes, and does a curve fitted to the first half of "
    "compute predict the rest?",
    presets=(
        Preset(
            "cpu",
            "3 sizes x 3 seeds, 128 RL steps each, 20 to 25 minutes on 2 cores",
            lambda: grid(WIDTHS, (0, 1, 2), TOKENS, STEPS, 128, 16),
        ),
        Preset(
            "smoke",
            "3 sizes x 2 seeds, 4 RL steps, under a minute; far too short for a rise",
            lambda: grid((16, 24, 32), (0, 1), 100_000, (1, 2, 3, 4), 16, 8),
        ),
        Preset(
            "h200",
            "4 sizes x 3 seeds on words of 8 letters, in bf16; planned for 25 minutes of one H200, not yet run",
            lambda: grid(
                (96, 128, 192, 256),
                (0, 1, 2),
                START,
                (*STEPS, 192, 256),
                512,
                16,
                word=LONGER,
                most=80,
                batch_tokens=4096,
                prompts=64,
                precision="bf16",
            ),
            device="cuda",
            fits=lambda records: {"reward": of_records(records, LONGER, ASKED)},
        ),
    ),
    fits=fits,
    sections=(rl_scaling.rl_scaling, rl_scaling.ahead, rl_reach.reach, rl_curves.rl_curves, ledger.ledger),
)
