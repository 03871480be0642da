"""pretrain_vs_rl: what its grid promises, and its report on made-up runs."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from split_case import topped

from scaling.records.columns import STEPS, TABLES
from scaling.records.flops import rl_step_flops, train_flops
from scaling.records.sampled import COMPONENTS
from scaling.records.spec import CooldownSpec, RLSpec, SamplingSpec, spec_id, to_json
from scaling.records.tables import Records, check, empty
from scaling.sections.split import split
from scaling.study import analyse, with_parents
from scaling.study_files import find

STUDY = find("pretrain_vs_rl")
TAKEN = 37
"""RL steps of every run."""
RL_COSTS = (0.8, 0.01, 0.17, 0.02, 0.0)
"""Shares of RL's FLOPs by component."""


def design(preset: str):
    return STUDY.preset(preset).specs.__self__


@pytest.mark.parametrize("preset", ["cpu", "smoke", "h200"])
def test_every_share_is_run_and_its_parts_cost_the_total(preset: str) -> None:
    one = design(preset)
    arms = one.arms()
    assert len({spec_id(arm.run) for arm in arms}) == len(arms)
    whole = {
        (train_flops(one.model, tokens), share, seed)
        for tokens in one.tokens
        for share in one.shares
        for seed in one.seeds
    }
    assert {(arm.total, arm.share, arm.seed) for arm in arms} == whole
    for arm in arms:
        before = arm.run.start if isinstance(arm.run, RLSpec) else arm.run
        assert isinstance(before, CooldownSpec), "every share has a branch of its own"
        assert before.whole.tokens == arm.tokens
        assert (arm.share == 0) == (arm.run is before)
        learning = arm.run.budget_flops if isinstance(arm.run, RLSpec) else 0
        whole_batches = train_flops(one.model, one.batch) / arm.total
        assert learning / arm.total == pytest.approx(arm.share, abs=whole_batches)
        if learning:
            assert train_flops(one.model, arm.tokens) + learning == arm.total
            least = rl_step_flops(one.model, one.prompts, one.group, one.word + 1, 1, kept=0)
            assert arm.run.steps * least >= learning, "no run ends before its budget"
    asked = [spec for spec in one.specs() if isinstance(spec, SamplingSpec)]
    assert {spec.of for spec in asked} == {arm.run for arm in arms}
    assert {(spec.seed, spec.problems, spec.settings) for spec in asked} == {(0, one.problems, ("free",))}


def test_the_grid_for_a_cpu_is_the_one_that_was_planned() -> None:
    one = design("cpu")
    assert (one.shares, one.seeds) == ((0.0, 0.1, 0.2, 0.4, 0.8), (4, 5, 6))
    assert [train_flops(one.model, tokens) for tokens in one.tokens] == pytest.approx(
        [2.87e12, 5.73e12], rel=0.02
    )
    trunks = [spec for spec in with_parents(one.specs()) if getattr(spec, "decay_start", 0) is None]
    assert len(trunks) == len(one.seeds)


def made_up(preset: str) -> Records:
    """Rows of every arm: costs as planned, and samples with a best share of .2."""
    one, rng = design(preset), np.random.default_rng(0)
    truth = topped(0.2, bend=0.5)
    runs, points, evals, samples = [], [], [], []
    for arm in one.arms():
        run_id, rl = spec_id(arm.run), isinstance(arm.run, RLSpec)
        before = arm.run.start if rl else arm.run
        common = {
            "status": "done", "trunk_id": spec_id(before.trunk), "data": "x", "data_sha256": "x", "tokens_planned": 1,
            "seed_data": arm.seed, "hardware": "x", "device_seconds": 1.0, "version": "1", "params_total": 1,
        }  # fmt: skip
        runs.append(
            common | {
                "run_id": spec_id(before), "kind": "cooldown", "parent_run_id": spec_id(before.trunk),
                "parent_step": before.step, "batch_tokens": one.batch, "spec": to_json(before),
            }
        )  # fmt: skip
        points.append(
            {
                "run_id": spec_id(before), "step": before.whole.steps, "tokens_seen": arm.tokens, "annealed": True,
                COMPONENTS[0]: train_flops(one.model, arm.tokens), "loss_nats": 1.0,
            }
        )  # fmt: skip
        step = before.whole.steps
        if rl:
            step = TAKEN
            runs.append(
                common | {
                    "run_id": run_id, "kind": "rl", "parent_run_id": spec_id(before),
                    "parent_step": before.whole.steps, "spec": to_json(arm.run),
                }
            )  # fmt: skip
            costs = np.array(RL_COSTS) * arm.run.budget_flops
            points.append(
                {"run_id": run_id, "step": step, "tokens_seen": 1, "annealed": False}
                | dict(zip(COMPONENTS, costs, strict=True))
            )
        evals.append(
            {
                "eval_id": f"e{run_id}", "run_id": run_id, "step": step, "task": "s5", "method": "free", "samples": one.each,
                "difficulty": one.word, "n_problems": one.problems, "score": 0.5, "device_seconds": 2.0,
            }
        )  # fmt: skip
        chance = expit(truth(np.array([arm.share]))[0] + np.linspace(-1, 1, one.problems))
        right = rng.random((one.problems, one.each)) < chance[:, None]
        problem, sample = (axis.ravel() for axis in np.indices(right.shape))
        samples.append(
            pd.DataFrame(
                {
                    "eval_id": f"e{run_id}", "problem": problem, "difficulty": one.word, "sample": sample,
                    "correct": right.ravel(), "tokens": 9, "truncated": False,
                }
            )
        )  # fmt: skip
    frames = {
        "runs": pd.DataFrame(runs).drop_duplicates("run_id", ignore_index=True),
        "checkpoints": pd.DataFrame(points).drop_duplicates("run_id", ignore_index=True), "steps": empty(STEPS),
        "evals": pd.DataFrame(evals), "samples": pd.concat(samples, ignore_index=True),
    }  # fmt: skip
    return Records(**{table.name: check(table, frames[table.name]) for table in TABLES})


@pytest.fixture(scope="module")
def records() -> Records:
    return made_up("cpu")


def test_the_report_finds_the_planted_share_among_realised_ones(records: Records) -> None:
    analysis = analyse(STUDY, "cpu", records, {}, {})
    found = analysis.fits["split"]
    assert [one.planned for one in found.totals] == [design("cpu").shares] * 2
    for one in found.totals:
        assert one.realised == pytest.approx(one.planned, rel=0.01)
        assert one.status == "ok"
        assert one.best.low < 0.2 < one.best.high
    section = split(analysis)
    assert [verdict.status for verdict in section.verdicts] == ["measured"] * 3
    assert section.verdicts[0].text.startswith("Of 2.87 × 10¹² FLOP the best share of RL is 0.1")
    assert "points more than no RL" in section.verdicts[0].text
    assert "which cannot be told from none" in section.verdicts[2].text
    rows = section.tables[0].frame
    assert len(rows) == 10
    assert rows["steps"].tolist() == [TAKEN if share else 0 for share in rows["share"]]
    each = [[float(one) for one in text.split(", ")] for text in rows["seeds"]]
    assert np.mean(each, axis=1) == pytest.approx(rows["mean"].to_numpy(), abs=0.005)
    assert rows["low"].gt(0).all()
    assert rows["high"].lt(1).all()
    data = section.figures[0].data
    assert set(data["what"]) == {"mean", "curve", "seed"}
    assert (data["what"] == "seed").sum() == 30


def test_a_seed_whose_run_died_is_left_out_and_said(records: Records) -> None:
    arm = next(arm for arm in design("cpu").arms() if arm.share == 0.4 and arm.seed == 5)
    gone = records.evals["run_id"] == spec_id(arm.run)
    samples = records.samples[~records.samples["eval_id"].isin(records.evals.loc[gone, "eval_id"])]
    fewer = Records(records.runs, records.checkpoints, records.steps, records.evals[~gone], samples)
    section = split(analyse(STUDY, "cpu", fewer, {}, {}))
    assert "seed 5" not in section.tables[0].frame
    said = section.tables[1].frame
    assert said.loc[said["what"] == "runs_left_out", "why"].str.contains("5 \\(no share 0.4").all()


def test_runs_that_are_not_there_yet_leave_no_answer(records: Records) -> None:
    for kept in (records.evals.iloc[:4], records.evals.iloc[:0]):
        samples = records.samples[records.samples["eval_id"].isin(kept["eval_id"])]
        few = Records(records.runs, records.checkpoints, records.steps, kept, samples)
        section = split(analyse(STUDY, "cpu", few, {}, {}))
        assert [one.status for one in section.verdicts] == ["not identified"]


def test_edges_and_ignorance_are_verdicts_too(records: Records) -> None:
    share = {spec_id(arm.run): arm.share for arm in design("cpu").arms()}
    by_eval = dict(zip(records.evals["eval_id"], records.evals["run_id"].map(share), strict=True))
    at = records.samples["eval_id"].map(by_eval).astype(float)
    draw = np.random.default_rng(0).random(len(at))

    def verdicts(chance: np.ndarray) -> list[tuple[str, str]]:
        changed = records.samples.assign(correct=draw < chance)
        other = Records(records.runs, records.checkpoints, records.steps, records.evals, changed)
        section = split(analyse(STUDY, "cpu", other, {}, {}))
        return [(one.status, one.text) for one in section.verdicts]

    status, text = verdicts((0.3 + at).to_numpy())[0]
    assert status == "measured"
    assert (
        "at an edge, the greatest share of RL that was tried, 0.8, scores best: the best share is more than"
        in text
    )
    status, text = verdicts((0.7 - at).to_numpy())[0]
    assert status == "measured"
    assert "at an edge, no RL at all scores best: the best share is less than" in text
    alike = verdicts(np.full(len(at), 0.5))
    assert [status for status, _ in alike] == ["not identified"] * 3
    assert "cannot be told from none" in alike[0][1]
