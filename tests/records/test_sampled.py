"""Samples joined to costs: stages and what came before, one run a trunk, counts that add up."""

import pandas as pd
import pytest

from scaling.errors import InputError
from scaling.records.columns import CHECKPOINTS, EVALS, RUNS, SAMPLES, STEPS
from scaling.records.sampled import counts, counts_by_stage, sampled, spent
from scaling.records.tables import Records, check, empty

RUN = {
    "status": "done", "params_total": 10, "data": "task:s5", "data_sha256": "00", "tokens_planned": 10,
    "hardware": "core", "device_seconds": 1.0, "version": "v", "spec": "{}",
}  # fmt: skip


@pytest.fixture
def records() -> Records:
    """Return a trunk, two branches of it, RL from the second, and two samples of two problems under two settings."""
    runs = [
        {"run_id": "t", "kind": "pretrain", "trunk_id": "t", "seed_data": 3},
        {
            "run_id": "a",
            "kind": "cooldown",
            "trunk_id": "t",
            "parent_run_id": "t",
            "parent_step": 5,
            "seed_data": 3,
        },
        {
            "run_id": "b",
            "kind": "cooldown",
            "trunk_id": "t",
            "parent_run_id": "t",
            "parent_step": 8,
            "seed_data": 3,
        },
        {
            "run_id": "r",
            "kind": "rl",
            "trunk_id": "t",
            "parent_run_id": "b",
            "parent_step": 10,
            "seed_data": 3,
        },
    ]
    points = [
        {"run_id": "a", "step": 6, "train_flops_forward_backward": 60.0},
        {"run_id": "b", "step": 10, "train_flops_forward_backward": 100.0},
        {"run_id": "r", "step": 2, "train_flops_forward_backward": 5.0, "train_flops_rollout_decode": 2.0,
         "train_flops_discarded": 1.0},
        {"run_id": "r", "step": 4, "train_flops_forward_backward": 10.0, "train_flops_rollout_decode": 4.0,
         "train_flops_discarded": 2.0},
    ]  # fmt: skip
    evals, samples = [], []
    for run, step in (("a", 6), ("b", 10), ("r", 4)):
        for method, budget in (("free", None), ("asked", "2")):
            name = f"{run}-{method}"
            evals.append(
                {"eval_id": name, "run_id": run, "step": step, "task": "s5", "difficulty": 6, "method": method,
                 "budget": budget, "samples": 2, "n_problems": 2, "score": 0.5, "chance_score": 0.01,
                 "infer_flops_prefill_per_problem": 1.0, "infer_flops_decode_per_problem": 7.0, "device_seconds": 1.0}
            )  # fmt: skip
            samples += [
                {"eval_id": name, "problem": problem, "difficulty": 6, "sample": k, "answer": "x",
                 "correct": bool(problem == 9 or k), "tokens": 3 + k, "truncated": False}
                for problem in (4, 9) for k in (0, 1)
            ]  # fmt: skip
    return Records(
        check(RUNS, pd.DataFrame([RUN | run for run in runs])),
        check(CHECKPOINTS, pd.DataFrame([{"tokens_seen": 7, "annealed": True} | point for point in points])),
        empty(STEPS),
        check(EVALS, pd.DataFrame(evals)),
        check(SAMPLES, pd.DataFrame(samples)),
    )


def test_a_stage_costs_all_its_components_and_knows_what_came_before(records: Records) -> None:
    found = spent(records).set_index(["run_id", "step"])
    assert found["train_flops"].to_dict() == {("a", 6): 60, ("b", 10): 100, ("r", 2): 8, ("r", 4): 16}
    assert found["pretrain_flops"].to_dict() == {("a", 6): 0, ("b", 10): 0, ("r", 2): 100, ("r", 4): 100}
    assert set(found["trunk"]) == {"t"}


def test_samples_are_chosen_by_setting_kind_and_difficulty(records: Records) -> None:
    rows = sampled(records, ["asked 2"], ["cooldown"], 6)
    assert len(rows) == 2 * 4
    assert set(rows["budget"]) == {"asked 2"}
    assert set(rows["train_flops"]) == {60.0, 100.0}
    assert set(rows["run"]) == {"t"}
    assert len(sampled(records, ["free", "asked 2"], ["cooldown", "rl"], 6)) == 24
    with pytest.raises(InputError, match="no samples of free at difficulty 7 of rl are in the records"):
        sampled(records, ["free"], ["rl"], 7)


def test_a_control_of_fewer_samples_is_not_pooled_with_the_others(records: Records) -> None:
    first = records.evals["eval_id"] == "a-asked"
    control = records.evals[first].assign(eval_id="control", samples=1)
    extra = records.samples[(records.samples["eval_id"] == "a-asked") & (records.samples["sample"] == 0)]
    both = Records(
        records.runs, records.checkpoints, records.steps, check(EVALS, pd.concat([records.evals, control])),
        check(SAMPLES, pd.concat([records.samples, extra.assign(eval_id="control")])),
    )  # fmt: skip
    assert len(both.samples) == len(records.samples) + 2
    pd.testing.assert_frame_equal(
        sampled(both, ["asked 2"], ["cooldown"], 6), sampled(records, ["asked 2"], ["cooldown"], 6)
    )


def test_counts_are_those_of_the_samples(records: Records) -> None:
    rows = counts(sampled(records, ["free", "asked 2"], ["cooldown"], 6))
    assert len(rows) == 2 * 2 * 2
    assert rows["n"].tolist() == [2] * 8
    assert rows.groupby("problem")["c"].unique().map(list).to_dict() == {4: [1.0], 9: [2.0]}
    assert rows["tokens"].tolist() == [3.5] * 8
    assert rows["infer_flops_decode_per_problem"].tolist() == [7.0] * 8


def test_counts_by_stage_tell_rl_from_what_came_before(records: Records) -> None:
    rows = counts_by_stage(records, "free", 6)
    assert rows["n"].tolist() == [2] * 6
    assert rows.groupby("problem")["c"].unique().map(list).to_dict() == {4: [1.0], 9: [2.0]}
    by_run = rows.groupby("run_id")[["train_flops", "pretrain_flops"]].first()
    assert by_run["train_flops"].to_dict() == {"a": 0.0, "b": 0.0, "r": 16.0}
    assert by_run["pretrain_flops"].to_dict() == {"a": 60.0, "b": 100.0, "r": 100.0}
    with pytest.raises(InputError, match="no samples of asked 3 at difficulty 6"):
        counts_by_stage(records, "asked 3", 6)
