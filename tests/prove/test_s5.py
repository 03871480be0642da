"""S5 end to end, three seeds, nothing tuned to one: thinking helps after pretraining, and RL makes it more and better.

Minutes of training: `make prove` runs this, `make test` a short leg of it (tests/training/test_s5_leg.py).
"""

import numpy as np
import pandas as pd
import pytest
import torch

from scaling.records import recipe, rl_recipe
from scaling.records.spec import CooldownSpec, RLSpec, SamplingSpec, spec_id
from scaling.records.store import Store
from scaling.training.work import work

WORD, PROBLEMS, EACH, MOST = 6, 128, 16, 64
TOKENS, STEPS = 3_200_000, 48
STRIDES = ("1", "2", "direct")

pytestmark = pytest.mark.prove


@pytest.fixture(scope="module", params=[0, 1, 2])
def trained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Store, CooldownSpec, RLSpec]:
    """Return a store with a pretraining run, RL from it, and both specs."""
    torch.set_num_threads(1)
    store = Store(tmp_path_factory.mktemp("s5") / "store").open()
    data = rl_recipe.traces("s5", range(1, 8), STRIDES)
    trunk, branch = recipe.tree(
        recipe.llama(64, 53, context=96), data, [TOKENS], batch_tokens=1920, seed=request.param
    )
    assert isinstance(branch, CooldownSpec)
    assert work(trunk, store, branches=[branch.step])
    assert work(branch, store)
    learned = rl_recipe.learning(branch, "s5", [WORD], STEPS, max_tokens=MOST, seed=request.param)
    assert work(learned, store)
    return store, branch, learned


def scores(store: Store, of: CooldownSpec | RLSpec, settings: list[str]) -> dict[str, np.ndarray]:
    """Return the mean score of each held-out problem under each setting."""
    spec: SamplingSpec = rl_recipe.samples(
        of, "s5", WORD, settings, max_tokens=MOST, problems=PROBLEMS, each=EACH
    )
    assert work(spec, store)
    rows = store.rows(spec_id(spec))
    name = rows.evals.set_index("eval_id")
    told = name["method"].str.cat(name["budget"].fillna(""), sep=" ").str.strip()
    found = rows.samples.assign(
        setting=rows.samples["eval_id"].map(told), correct=rows.samples["correct"].astype(float)
    )
    table = found.pivot_table(index="problem", columns="setting", values="correct")
    return {setting: table[setting].to_numpy() for setting in settings}


def surely_above(more: np.ndarray, less: np.ndarray) -> bool:
    """Whether one exceeds the other by over two standard errors of the difference, paired over problems."""
    difference = more - less
    return bool(difference.mean() > 2 * difference.std(ddof=1) / np.sqrt(len(difference)))


def test_thinking_helps_and_rl_lifts_what_it_may_choose(trained: tuple[Store, CooldownSpec, RLSpec]) -> None:
    store, branch, learned = trained
    asked = scores(store, branch, ["asked 1", "asked 2", "asked direct", "free"])
    means = {setting: float(found.mean()) for setting, found in asked.items()}
    assert surely_above(asked["asked 1"], asked["asked 2"]), means
    assert surely_above(asked["asked 2"], asked["asked direct"]), means
    after = scores(store, learned, ["free"])["free"]
    assert surely_above(after, asked["free"]), (means, after.mean())
    steps: pd.DataFrame = store.rows(spec_id(learned)).steps
    assert steps["tokens_mean"].iloc[-5:].mean() > steps["tokens_mean"].iloc[:5].mean() + 1
    assert (steps["logprob_gap"] < 1e-4).all()
    print(f"{means} -> free {after.mean():.3f}; tokens {steps['tokens_mean'].iloc[[0, -1]].tolist()}")
