"""The ledger's account: what each run spent itself, whatever the order of the rows."""

import numpy as np
import pandas as pd
import pytest

from scaling.records import recipe, rl_recipe
from scaling.records.columns import EVALS, STEPS
from scaling.records.flops import train_flops
from scaling.records.sampled import COMPONENTS
from scaling.records.spec import CooldownSpec, CorpusData, CountingSpec, PretrainSpec, spec_id, to_json
from scaling.records.tables import Records, check, empty
from scaling.reporting import numbers
from scaling.sections.ledger import ledger, spent
from scaling.study import Analysis
from scaling.study_files import find

DATA = CorpusData("santa_fe", "ab" * 32)
COUNTING = CountingSpec(DATA, levels=4, tokens=(1000, 3000), heldout_tokens=1000, seed=0)
TREES = [
    recipe.tree(recipe.llama(width, 73, 128), DATA, tokens, batch_tokens=1024, seed=0)
    for width, tokens in ((16, (4_000_000, 2_000_000)), (48, (500_000, 1_000_000)))
]
"""Long durations before short ones and a small model before a large one: no column sorts the runs."""


@pytest.fixture
def records(rows_of) -> Records:
    runs, points = [], []
    for path, *branches in TREES:
        assert isinstance(path, PretrainSpec)
        for branch in branches:
            assert isinstance(branch, CooldownSpec)
            run, point = rows_of(branch, 1.5)
            runs.append(run)
            points.append(point)
        runs.append(
            {
                **runs[-1],
                "run_id": spec_id(path),
                "kind": "pretrain",
                "parent_run_id": None,
                "parent_step": None,
            }
        )
        flops = train_flops(path.model, path.tokens)
        points.append(
            {
                "run_id": spec_id(path),
                "step": path.steps,
                "tokens_seen": path.tokens,
                "annealed": False,
                "train_flops_forward_backward": flops,
            }
        )
    run_id = spec_id(COUNTING)
    runs.append(
        {
            "run_id": run_id,
            "kind": "counting",
            "status": "done",
            "trunk_id": run_id,
            "params_total": 15,
            "data": "santa_fe",
            "data_sha256": DATA.sha256,
            "tokens_planned": 3000,
            "seed_data": 0,
            "hardware": "x",
            "device_seconds": 1.0,
            "version": "1",
            "spec": to_json(COUNTING),
        }
    )
    for index, tokens in enumerate(COUNTING.tokens):
        points.append({"run_id": run_id, "step": index, "tokens_seen": tokens, "annealed": True})
    return Records(pd.DataFrame(runs), pd.DataFrame(points), empty(STEPS), empty(EVALS)).map(check)


def test_a_run_spent_what_came_after_its_branch(records: Records) -> None:
    found = spent(records).set_index("run_id")
    for path, *branches in TREES:
        assert found.loc[spec_id(path), "flops"] == train_flops(path.model, path.tokens)
        for branch in branches:
            own = branch.decay_steps * 1024
            row = found.loc[spec_id(branch)]
            assert row["tokens"] == own
            assert row["flops"] == pytest.approx(train_flops(path.model, own), rel=1e-12)
            assert row["whole_flops"] == train_flops(path.model, branch.whole.tokens)
    assert found.loc[spec_id(COUNTING), "tokens"] == 4000, "each number of tokens has a learner of its own"
    assert np.isnan(found.loc[spec_id(COUNTING), "flops"])


def test_the_price_of_separate_runs_is_that_of_the_branches(records: Records) -> None:
    separate = sum(
        train_flops(path.model, branch.whole.tokens) for path, *branches in TREES for branch in branches
    )
    section = ledger(Analysis(find("known_entropy"), "cpu", records, {}))
    assert f"the 4 durations would have cost {numbers.flops(separate)} " in section.prose[1]


def test_the_order_of_the_rows_does_not_matter(records: Records) -> None:
    mixed = Records(
        records.runs.iloc[::-1].reset_index(drop=True),
        records.checkpoints.sample(frac=1, random_state=0).reset_index(drop=True),
        records.steps,
        records.evals,
    )
    study = find("known_entropy")
    assert (
        ledger(Analysis(study, "cpu", mixed, {})).prose == ledger(Analysis(study, "cpu", records, {})).prose
    )


def test_a_branch_of_a_trunk_that_died_before_it_cost_nothing(records: Records) -> None:
    path, branch, _ = TREES[0]
    died = records.checkpoints["run_id"].eq(spec_id(branch))
    points = records.checkpoints.copy()
    points.loc[died, "tokens_seen"] = 1024
    points.loc[died, "train_flops_forward_backward"] = float(train_flops(path.model, 1024))
    found = spent(Records(records.runs, points, records.steps, records.evals)).set_index("run_id")
    assert found.loc[spec_id(branch), ["tokens", "flops"]].tolist() == [0, 0]
    assert found[["tokens", "flops"]].min().min() >= 0


def test_rl_spent_all_its_components_on_top_of_its_start(records: Records) -> None:
    _, start, _ = TREES[0]
    spec = rl_recipe.learning(start, "s5", [6], 2, max_tokens=64, seed=0, checkpoints=(1, 2))
    run_id = spec_id(spec)
    parent = records.runs[records.runs["run_id"] == spec_id(start)].iloc[0].to_dict()
    own = parent | {
        "run_id": run_id, "kind": "rl", "parent_run_id": spec_id(start), "parent_step": start.whole.steps,
        "batch_tokens": None, "data": "rl:s5", "spec": to_json(spec),
    }  # fmt: skip
    points = [
        {"run_id": run_id, "step": step, "tokens_seen": 1000 * step, "annealed": False}
        | {name: 1e9 * step * (k + 1) for k, name in enumerate(COMPONENTS)}
        for step in (1, 2)
    ]
    both = Records(
        pd.concat([records.runs, pd.DataFrame([own])], ignore_index=True),
        pd.concat([records.checkpoints, pd.DataFrame(points)], ignore_index=True),
        records.steps,
        records.evals,
    ).map(check)
    found = spent(both).set_index("run_id")
    assert found.loc[run_id, "tokens"] == 2000
    assert found.loc[run_id, "flops"] == 2e9 * (1 + 2 + 3 + 4 + 5)
    before = train_flops(start.trunk.model, start.whole.tokens)
    assert found.loc[run_id, "whole_flops"] == pytest.approx(before + 3e10, rel=1e-12)
    pd.testing.assert_frame_equal(found.drop(index=run_id), spent(records).set_index("run_id"))
    section = ledger(Analysis(find("known_entropy"), "cpu", both, {}))
    assert any(text.startswith("RL's tokens are those that were sampled") for text in section.prose)
    unused = [table.frame for table in section.tables if table.name == "unused"]
    assert not any(run_id in set(rows["run_id"]) for rows in unused), "RL has no held-out loss to miss"
