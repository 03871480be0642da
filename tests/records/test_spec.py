"""Specs: identity by content, checks that say what to do."""

import dataclasses
import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaling.errors import InputError
from scaling.records import recipe
from scaling.records.flops import train_flops
from scaling.records.spec import (
    CooldownSpec,
    CorpusData,
    CountingSpec,
    EvalSpec,
    ModelSpec,
    Optim,
    PretrainSpec,
    from_json,
    parents,
    spec_id,
    to_json,
)

PUBLISHED = Path(__file__).parents[2] / "data" / "studies"
DATA = CorpusData("python", "ab" * 32)
widths = st.integers(4, 40).map(lambda k: 8 * k)


@st.composite
def trunks(draw: st.DrawFn) -> PretrainSpec:
    model = recipe.llama(draw(widths), draw(st.integers(2, 5000)), 128)
    return recipe.trunk(
        model,
        DATA,
        draw(st.integers(2, 10**6)),
        batch_tokens=128 * draw(st.integers(1, 64)),
        seed=draw(st.integers(0, 2**31)),
        precision=draw(st.sampled_from(["fp32", "bf16"])),
        lr_over_recipe=draw(st.sampled_from([0.5, 1.0, 2.0])),
    )


@given(trunks())
def test_json_round_trip_keeps_identity(spec: PretrainSpec) -> None:
    branch = CooldownSpec(spec, spec.steps, 3)
    counting = CountingSpec(DATA, 5, (10, 100), 1000, 3)
    for one in (spec, branch, branch.whole, counting):
        assert from_json(to_json(one)) == one
        assert spec_id(from_json(to_json(one))) == spec_id(one)


@given(trunks(), st.sampled_from(["tokens", "seed", "precision", "lr", "sha"]))
def test_every_change_is_another_run(spec: PretrainSpec, what: str) -> None:
    other = {
        "tokens": lambda: dataclasses.replace(spec, tokens=spec.tokens + spec.optim.batch_tokens),
        "seed": lambda: dataclasses.replace(spec, seed=spec.seed + 1),
        "precision": lambda: dataclasses.replace(
            spec, precision="fp32" if spec.precision == "bf16" else "bf16"
        ),
        "lr": lambda: dataclasses.replace(
            spec, optim=dataclasses.replace(spec.optim, lr=spec.optim.lr * 1.01)
        ),
        "sha": lambda: dataclasses.replace(spec, data=CorpusData("python", "cd" * 32)),
    }[what]()
    assert spec_id(other) != spec_id(spec)


def test_identity_does_not_move_between_versions() -> None:
    # a published record names its spec by this hash: changing the canonical form orphans every record
    model = ModelSpec(width=16, layers=2, heads=1, mlp_width=48, vocabulary=256, context=128)
    spec = recipe.trunk(model, DATA, 10, batch_tokens=1024, seed=0)
    fields = json.loads(to_json(spec))
    assert list(fields) == sorted(fields)
    assert spec_id(spec) == spec_id(from_json(json.dumps(fields, indent=3)))


@given(trunks())
def test_a_branch_shares_its_trunks_schedule_until_it_leaves(spec: PretrainSpec) -> None:
    from scaling.training.schedule import learning_rate

    branch = CooldownSpec(spec, max(spec.optim.warmup_steps, spec.steps // 2), 7)
    for step in {0, 1, branch.step // 2, branch.step - 1}:
        assert learning_rate(branch.whole, step) == learning_rate(spec, step)
    decayed = [learning_rate(branch.whole, branch.step + i) for i in range(7)]
    assert decayed == sorted(decayed, reverse=True)
    assert min(decayed) > 0
    assert parents(branch) == (spec,)


@given(widths, st.floats(1e11, 1e17))
def test_a_tree_spends_what_it_is_asked_to(width: int, compute: float) -> None:
    model = recipe.llama(width, 256, 128)
    tokens = recipe.tokens_for(model, compute)
    if tokens < 100 * 1024:
        return
    path, *branches = recipe.tree(model, DATA, [tokens // 4, tokens], batch_tokens=1024, seed=0)
    assert [type(b) for b in branches] == [CooldownSpec, CooldownSpec]
    assert max(b.step for b in branches) == path.steps
    assert train_flops(model, branches[-1].whole.tokens) == pytest.approx(compute, rel=0.01)
    for branch in branches:
        assert branch.decay_steps == pytest.approx(recipe.DECAY_SHARE * branch.whole.steps, abs=1)


@pytest.mark.parametrize(
    "path", sorted(PUBLISHED.glob("*/*/runs.parquet")), ids=lambda p: p.parent.parent.name
)
def test_published_records_name_their_specs(path: Path) -> None:
    runs = pd.read_parquet(path)
    texts = [to_json(from_json(text)) for text in runs.spec]
    assert runs.spec.tolist() == texts
    assert runs.run_id.tolist() == [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts]
    evals = pd.read_parquet(path.with_name("evals.parquet"))
    if "samples" in evals:  # the others name samples of a task, whose spec has more than the row
        evals = evals[evals["samples"].isna()]
    asked = evals[["run_id", "step", "task", "method", "n_problems"]].itertuples(index=False)
    assert evals.eval_id.tolist() == [spec_id(EvalSpec(*row)) for row in asked]


def test_equal_values_are_one_run_whatever_their_type() -> None:
    spec = small()
    other = PretrainSpec(
        ModelSpec(np.int64(16), 2.0, np.float64(1), 48, np.uint8(200), np.int32(32)),
        DATA,
        np.int64(1280),
        Optim(1, 128.0, np.int64(5), np.float32(0.5), clip_norm=np.int64(1)),
        None,
        "fp32",
        np.uint64(0),
    )
    assert spec == other
    assert to_json(spec) == to_json(other)
    assert (type(other.model.width), type(other.optim.lr), type(other.seed)) == (int, float, int)
    counting = CountingSpec(DATA, 5, [np.int64(10), 100.0], 1000, 3)
    assert spec_id(counting) == spec_id(CountingSpec(DATA, 5, (10, 100), 1000, 3))
    assert dataclasses.replace(spec, decay_start=np.int64(5)) == dataclasses.replace(spec, decay_start=5)


def small() -> PretrainSpec:
    return PretrainSpec(
        ModelSpec(16, 2, 1, 48, 200, 32), DATA, 1280, Optim(1.0, 128, 5, 0.5), None, "fp32", 0
    )


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ModelSpec(18, 1, 5, 8, 256, 32), "width 18 with 5 heads"),
        (lambda: ModelSpec(16, 0, 1, 8, 256, 32), "layers must be positive"),
        (
            lambda: recipe.trunk(recipe.llama(16, 256, 128), DATA, 5, batch_tokens=100, seed=0),
            "whole sequences",
        ),
        (
            lambda: CooldownSpec(
                recipe.trunk(recipe.llama(16, 256, 128), DATA, 5, batch_tokens=128, seed=0), 6, 1
            ),
            "6",
        ),
        (lambda: CountingSpec(DATA, 3, (5, 5), 1000, 0), "increasing"),
        (
            lambda: ModelSpec(16, 2, 1, 48.5, 256, 32),
            r"ModelSpec.mlp_width must be a whole number, got 48.5$",
        ),
        (lambda: ModelSpec(16, True, 1, 48, 256, 32), r"ModelSpec.layers must be a whole number, got True$"),
        (lambda: ModelSpec(16, "2", 1, 48, 256, 32), r"ModelSpec.layers must be a whole number, got '2'$"),
        (
            lambda: ModelSpec(16, 2, 1, math.inf, 256, 32),
            r"ModelSpec.mlp_width must be a whole number, got inf$",
        ),
        (lambda: Optim(math.nan, 128, 5), r"Optim.lr must be a finite number, got nan$"),
        (
            lambda: Optim(0.1, 128, 5, clip_norm=math.inf),
            r"Optim.clip_norm must be a finite number, got inf$",
        ),
        (
            lambda: Optim(0.1, 128, 5, weight_decay=False),
            r"Optim.weight_decay must be a finite number, got False$",
        ),
        (lambda: Optim(0.1, 128, 5, beta1=1), r"Optim.beta1 must lie in \[0, 1\), got 1.0$"),
        (lambda: Optim(0.1, 128, 5, beta2=-0.1), r"Optim.beta2 must lie in \[0, 1\), got -0.1$"),
        (
            lambda: dataclasses.replace(small(), decay_start=4),
            r"decay_start 4 must lie in \[5, 10\): after the warm-up and before the run's end$",
        ),
        (lambda: dataclasses.replace(small(), decay_start=10), r"decay_start 10 must lie in \[5, 10\)"),
        (lambda: dataclasses.replace(small(), model=3), r"PretrainSpec.model must be a ModelSpec, got 3$"),
        (lambda: CorpusData("python", None), r"CorpusData.sha256 must be a str, got None$"),
        (lambda: CountingSpec(DATA, 3, 5, 1000, 0), r"CountingSpec.tokens must be a list, got 5$"),
        (lambda: dataclasses.replace(small(), seed=-1), r"seed is -1, expected a whole number from 0 to"),
        (lambda: dataclasses.replace(small(), seed=2**63), r"seed is 9223372036854775808, expected"),
        (lambda: CountingSpec(DATA, 3, (5,), 1000, -1), r"seed is -1, expected"),
        (lambda: from_json("[" * 100_000), "not a spec"),
        (lambda: from_json("{}"), "not a spec"),
        (lambda: from_json('{"kind":"pretrain","model":3}'), "not a spec"),
    ],
)
def test_wrong_specs_are_refused_in_one_line(make, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        make()
    assert "\n" not in str(caught.value)
