"""Samples of a checkpoint: budgets do what they say, rows add up, the verifier learns from training problems alone."""

import dataclasses

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from scaling.errors import InputError
from scaling.inference import sampling, verifier
from scaling.inference.decode import decode
from scaling.inference.forcing import forced
from scaling.inference.weights import Weights
from scaling.records import recipe, rl_recipe
from scaling.records.columns import EVALS, SAMPLES
from scaling.records.flops import completion_flops, prefill_flops
from scaling.records.spec import SamplingSpec, spec_id
from scaling.records.tables import check
from scaling.tasks import decoded, find, texts
from scaling.tasks.setting import read

S5 = find("s5")
SHAPE = recipe.llama(32, 53, 96)
START = recipe.whole_runs(SHAPE, rl_recipe.traces("s5", [4]), [96_000], batch_tokens=960, seed=0)[0]
SPEC = rl_recipe.samples(
    START, "s5", 4, ["free", "asked 2", "forced 1", "cut 4"], max_tokens=30, problems=5, each=6
)


def written(weights: Weights, text: str, difficulty: int = 5) -> list[str]:
    """Return what is written under a setting."""
    chosen = read(text, S5)
    keys = S5.distinct(0, 4, difficulty, "held_out")
    prompts = chosen.prompts(S5, keys, difficulty)
    force = forced(chosen, S5, keys, difficulty, 3, torch.device("cpu"))
    found = decode(weights, prompts, 50, seed=0, group=3, force=force)
    return texts(found.tokens.numpy(), found.lengths.numpy())


def test_asked_budgets_stand_before_the_problem() -> None:
    keys = S5.distinct(0, 3, 5, "held_out")
    for budget, control in (("1", "A"), ("2", "B"), ("direct", "E")):
        rows = read(f"asked {budget}", S5).prompts(S5, keys, 5)
        assert {decoded(row)[0] for row in rows} == {control}
    np.testing.assert_array_equal(read("free", S5).prompts(S5, keys, 5), S5.prompts(keys, 5))


@pytest.mark.parametrize("budget", S5.budgets)
def test_forced_budgets_give_the_generators_and_the_model_writes_the_states(
    weights: Weights, budget: str
) -> None:
    keys = S5.distinct(0, 4, 5, "held_out").repeat(3)
    gold = [decoded(row) for row in S5.traces(keys, 5, budget)]
    said = written(weights, f"forced {budget}")
    for right, one in zip(gold, said, strict=True):
        for at in range(0, min(len(one), len(right) - 6), 6):
            if "." not in one[:at]:
                assert one[at] == right[at]
        assert one != right, "a model without training that writes gold was given it"


def test_a_cut_writes_the_answer_mark_once(weights: Weights) -> None:
    for one, free in zip(written(weights, "cut 7"), written(weights, "free"), strict=True):
        before = free[:7]
        assert one[:7] == before
        if "." not in before and len(free) > 7:
            assert "#" in before or one[7] == "#"


@pytest.mark.parametrize(
    "text", ["free 1", "asked", "asked 4", "forced x", "cut", "cut two", "best", "cut -3", "cut ٣"]
)
def test_settings_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="setting"):
        read(text, S5)


def test_a_task_without_forced_budgets_says_so(weights: Weights) -> None:
    addition = find("addition")
    keys = addition.distinct(0, 2, 3, "held_out")
    with pytest.raises(InputError, match="task addition has no budgets that can be forced"):
        forced(read("forced 1", addition), addition, keys, 3, 1, weights.device)


def test_rows_add_up_and_are_a_pure_function_of_the_spec(model: LlamaForCausalLM) -> None:
    found = sampling.sample(SPEC, model, SHAPE, step=START.steps)
    assert found is not None
    evals, samples = check(EVALS, found.evals), check(SAMPLES, found.samples)
    assert evals["eval_id"].tolist() == [
        spec_id(dataclasses.replace(SPEC, settings=(s,))) for s in SPEC.settings
    ]
    assert len(samples) == 4 * 5 * 6
    by = samples.groupby("eval_id")
    for row in evals.itertuples():
        mine = by.get_group(row.eval_id)
        assert row.score == pytest.approx(mine["correct"].astype(float).mean())
        assert row.tokens_mean == pytest.approx(mine["tokens"].astype(float).mean())
        assert row.truncated_share == pytest.approx(mine["truncated"].astype(float).mean())
        prompt = 6 if row.method == "asked" else 5
        written_flops = [completion_flops(SHAPE, prompt, int(tokens)) for tokens in mine["tokens"]]
        assert row.infer_flops_decode_per_problem == pytest.approx(np.mean(written_flops))
        assert row.infer_flops_prefill_per_problem == prefill_flops(SHAPE, prompt)
    problems = {tuple(rows["problem"].unique()) for _, rows in by}
    assert len(problems) == 1, "the same problems under every setting"
    assert S5.held_out(np.array(problems.pop(), dtype=np.int64), 4).all()
    alone = sampling.sample(dataclasses.replace(SPEC, settings=("cut 4",)), model, SHAPE, step=START.steps)
    assert alone is not None
    last = samples[samples["eval_id"] == evals["eval_id"].iloc[-1]].reset_index(drop=True)
    assert check(SAMPLES, alone.samples).equals(last), "a setting's samples do not depend on the others"
    assert sampling.sample(SPEC, model, SHAPE, step=START.steps, stop=lambda: True) is None


def test_a_verifier_scores_every_completion_and_says_what_it_cost(model: LlamaForCausalLM) -> None:
    spec: SamplingSpec = dataclasses.replace(SPEC, settings=("free",), verifier=True)
    found = sampling.sample(spec, model, SHAPE, step=START.steps)
    assert found is not None
    assert found.samples["verifier_score"].notna().all()
    row = found.evals.iloc[0]
    read, decoded_flops = row["infer_flops_verifier_per_problem"], row["infer_flops_decode_per_problem"]
    assert 0 < read < 2 * (decoded_flops + row["infer_flops_prefill_per_problem"])
    assert (
        row["verifier_train_flops"]
        > sampling.PRACTICE * sampling.EACH * row["infer_flops_prefill_per_problem"] / 20
    )


def test_the_fit_is_the_penalised_optimum_and_its_auc_that_of_all_pairs() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3)) * [1, 10, 0] + 5
    right = (rng.random(400) < 1 / (1 + np.exp(-(x[:, 0] - 5)))).astype(float)
    learned = verifier.trained(x, right)
    scores = learned.scores(x)
    z = (x - learned.mean) / learned.scale
    p = 1 / (1 + np.exp(-scores))
    np.testing.assert_allclose(z.T @ (p - right) + verifier.PENALTY * learned.coefficients, 0, atol=1e-2)
    assert p.sum() == pytest.approx(right.sum(), abs=1e-2)
    pairs = scores[right > 0][:, None] - scores[right == 0]
    assert verifier.auc(scores, right) == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    assert verifier.auc(scores, np.ones(400)) is None
    assert len(set(verifier.trained(x, np.zeros(400)).scores(x))) == 1
