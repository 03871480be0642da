"""The grids of the shipped studies: what they promise of sizes, steps, epochs and cost."""

import itertools
import os
from collections.abc import Iterator

import pytest

from scaling.errors import InputError
from scaling.records import cost, flops, recipe
from scaling.records.cost import CORE, predicted_seconds, spec_flops, spec_model
from scaling.records.spec import (
    CooldownSpec,
    CorpusData,
    CountingSpec,
    PretrainSpec,
    RLSpec,
    SamplingSpec,
    Spec,
    from_json,
    spec_id,
)
from scaling.records.store import Store
from scaling.records.tables import Records
from scaling.study import Study, bundled, with_parents
from scaling.study_files import find, study_files
from scaling.training.work import work


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = os.environ.get("SCALING_CACHE")
    os.environ["SCALING_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["SCALING_CACHE"]
    else:
        os.environ["SCALING_CACHE"] = before


def ends(specs: list[Spec]) -> list[PretrainSpec]:
    """Return the annealed runs as whole runs."""
    whole = [spec.whole if isinstance(spec, CooldownSpec) else spec for spec in specs]
    return [spec for spec in whole if isinstance(spec, PretrainSpec) and spec.decay_start is not None]


def minutes_on_two_cores(specs: list[Spec]) -> float:
    return sum(predicted_seconds(spec, CORE) for spec in with_parents(specs)) / 2 / 60


def test_every_study_loads_and_names_its_file() -> None:
    for name in study_files():
        study = find(name)
        assert isinstance(study, Study)
        assert study.name == name
        assert len({p.name for p in study.presets}) == len(study.presets)


def test_quickstart_has_four_sizes_by_four_durations_by_branches() -> None:
    specs = find("quickstart").preset("cpu").specs()
    points = {(spec.model.width, spec.tokens) for spec in ends(specs)}
    assert len({width for width, _ in points}) >= 4
    assert len({tokens for _, tokens in points}) >= 4
    assert len(points) >= 16
    assert all(
        isinstance(s, CooldownSpec)
        for s in specs
        if s not in {p for p in specs if isinstance(p, PretrainSpec)}
    )
    assert minutes_on_two_cores(specs) < 3


def test_isoflop_cpu_keeps_its_promises() -> None:
    specs = find("isoflop").preset("cpu").specs()
    runs = ends(specs)
    assert min(spec.steps for spec in runs) >= 300
    budgets = {C: [s for s in runs if flops.train_flops(s.model, s.tokens) == pytest.approx(C, rel=0.02)] for C in
               (1e12, 3.2e12, 1e13)}  # fmt: skip
    assert sum(map(len, budgets.values())) == len(runs)
    for C, at in budgets.items():
        assert len({s.model.width for s in at}) >= 5
        if C < 1e13:
            assert {s.seed for s in at} == {0, 1}
    assert minutes_on_two_cores(specs) <= 25


def test_tune_has_arms_on_both_sides_at_four_widths() -> None:
    runs = ends(find("isoflop").preset("tune").specs())
    arms = {(s.model.width, s.optim.lr_over_recipe) for s in runs}
    assert len(arms) == 20
    assert {arm for _, arm in arms} >= {0.5, 1.0, 2.0}
    assert min(s.steps for s in runs) >= 300


def test_h200_spans_its_budgets_and_sizes() -> None:
    make = find("isoflop").preset("h200").specs
    budgets = make.__globals__["H200"]
    assert [b.C for b in budgets] == [1e13, 1e14, 1e15, 1e16]
    for budget in budgets:
        assert len(budget.widths) >= 5


def test_h200_refuses_more_than_four_epochs() -> None:
    make = find("isoflop").preset("h200").specs
    with pytest.raises(InputError, match="epochs of python here"):
        make(corpus="python")


def test_h200_trains_at_tiny_scale(tmp_path) -> None:
    make = find("isoflop").preset("h200").specs
    tiny = make.__globals__["Budget"](1.8e9, (16,), (0,), 64)
    (spec,) = make(budgets=(tiny,), corpus="python", context=32)
    assert spec.precision == "bf16"
    store = Store(tmp_path).open()
    assert work(spec, store)
    rows = store.rows(spec_id(spec))
    assert rows.runs.status.item() == "done"
    assert rows.checkpoints.iloc[-1].train_flops_forward_backward == pytest.approx(tiny.C, rel=0.01)
    assert rows.checkpoints.iloc[-1].annealed


def test_rl_scaling_scores_every_size_and_seed_at_octaves_of_steps() -> None:
    specs = find("rl_scaling").preset("cpu").specs()
    runs = [spec for spec in specs if isinstance(spec, RLSpec)]
    assert {(spec.start.model.width, spec.seed) for spec in runs} == set(
        itertools.product((48, 64, 96), range(3))
    )
    assert len({spec.start.tokens for spec in runs}) == 1
    asked = {(spec.of, spec.step) for spec in specs if isinstance(spec, SamplingSpec)}
    assert asked == {(run, step) for run in runs for step in run.checkpoints} | {
        (run.start, run.start.steps) for run in runs
    }
    for run in runs:
        assert run.checkpoints[:7] == (1, 2, 4, 8, 16, 32, 64)
    assert minutes_on_two_cores(specs) <= 25


def test_known_entropy_repeats_both_windows_two_hundred_times() -> None:
    counting = [s for s in find("known_entropy").preset("cpu").specs() if isinstance(s, CountingSpec)]
    assert len({s.seed for s in counting}) == 200
    windows = {(s.tokens[0], s.tokens[-1]): set() for s in counting}
    for s in counting:
        windows[s.tokens[0], s.tokens[-1]].add(s.levels)
    assert windows == {(10**5, 10**9): set(range(8, 20)), (10**4, 10**8): set(range(4, 13))}


@pytest.mark.parametrize("name", ["quickstart", "isoflop", "known_entropy"])
def test_costs_add_up_over_a_tree(name: str) -> None:
    specs = with_parents(find(name).presets[0].specs())
    trunks = [s for s in specs if isinstance(s, PretrainSpec) and s.decay_start is None]
    assert trunks
    for trunk in trunks:
        for branch in (s for s in specs if isinstance(s, CooldownSpec) and s.trunk == trunk):
            before = flops.train_flops(trunk.model, branch.step * trunk.optim.batch_tokens)
            whole = flops.train_flops(spec_model(branch), branch.whole.tokens)
            assert before + spec_flops(branch) == whole


def test_costs_are_near_what_the_published_learners_took() -> None:
    runs = Records.load(bundled("data") / "studies" / "known_entropy" / "cpu").runs
    counting = runs[runs["kind"] == "counting"]
    predicted = sum(predicted_seconds(from_json(text), CORE) for text in counting["spec"])
    assert predicted == pytest.approx(counting["device_seconds"].sum(), rel=0.2)


def test_costs_are_near_what_two_workers_took_on_the_cores_they_are_of() -> None:
    """An earlier grid of isoflop took 50.5 minutes of CPU time, evaluation included."""
    budgets = {
        1e12: (16, 24, 32, 48, 64),
        3.2e12: (24, 32, 48, 64, 96),
        1e13: (32, 48, 64, 96, 128),
    }
    specs = []
    for width, seed in itertools.product((16, 24, 32, 48, 64, 96, 128), (0, 1)):
        model = recipe.llama(width, 256, 128)
        held = [C for C, widths in budgets.items() if width in widths and (seed == 0 or C < 1e13)]
        if held:
            tokens = [recipe.tokens_for(model, C) for C in held]
            specs += recipe.tree(model, CorpusData("python", "ab" * 32), tokens, batch_tokens=1024, seed=seed)
    assert len(specs) == 38
    assert sum(predicted_seconds(spec, CORE) for spec in specs) / 60 == pytest.approx(50.5, rel=0.2)


def test_a_counting_run_trains_all_its_learners() -> None:
    spec = CountingSpec(CorpusData("santa_fe", "ab" * 32), 5, (1000, 3000), 2**20, 0)
    assert cost.spec_tokens(spec) == 4000


def test_train_vs_think_has_levels_over_a_decade_and_three_seeds() -> None:
    specs = find("train_vs_think").preset("cpu").runs()
    branches = [spec for spec in specs if isinstance(spec, CooldownSpec)]
    assert {spec.trunk.seed for spec in branches} == {0, 1, 2}
    tokens = sorted({spec.whole.tokens for spec in branches})
    assert tokens[-1] / tokens[0] > 10
    assert len(tokens) == 8
    learned = [spec for spec in specs if isinstance(spec, RLSpec)]
    assert [spec.checkpoints for spec in learned] == [(2, 4, 8, 16, 32, 64)] * 3
    samples = [spec for spec in specs if isinstance(spec, SamplingSpec)]
    assert {(spec.problems, spec.difficulty, spec.seed) for spec in samples} == {(128, 6, 0)}
    asked = {spec_id(spec.of) for spec in samples if spec.settings[0].startswith("asked 1")}
    free = {(spec_id(spec.of), spec.step) for spec in samples if spec.settings == ("free",)}
    assert {spec_id(branch) for branch in branches} <= asked
    assert len(free) == 3 * (8 + 6)
    assert minutes_on_two_cores(specs) <= 25
    assert len(find("train_vs_think").preset("h200").runs()) == 480


def test_quickstart_rl_is_one_seed_over_a_decade_in_minutes() -> None:
    specs = find("quickstart_rl").preset("cpu").runs()
    branches = [spec for spec in specs if isinstance(spec, CooldownSpec)]
    tokens = sorted(spec.whole.tokens for spec in branches)
    assert tokens[-1] / tokens[0] > 10
    assert {spec.trunk.seed for spec in branches} == {0}
    assert minutes_on_two_cores(specs) < 7
