"""One compute axis against the other, measured: training against longer thinking, voting, and the best of several.

Words in the group S5. Axis A varies pretraining: branches of one trunk that end after few or many tokens. Axis B varies RL
steps from one of these branches. On both, inference is spent by voting and by choosing among samples; on axis A also by
longer thinking, which the prompt asks for. What is measured, and where rates are asked, was fixed before the runs.
"""

from collections.abc import Sequence

from scaling.records import recipe, rl_recipe
from scaling.records.spec import CooldownSpec, Spec
from scaling.records.tables import Records
from scaling.study import Preset, Study

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
AT = (0.25, 0.5, 0.75)
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
    fits=lambda records: {},
    sections=(),
)
