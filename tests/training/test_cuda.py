"""Every stage on a GPU, where there is one: pretraining, RL with captured sampling, samples; stopped and resumed."""

from pathlib import Path

import pytest
import torch

from scaling import tasks
from scaling.records import recipe, rl_recipe
from scaling.records.spec import Spec, spec_id
from scaling.records.store import Store
from scaling.training.rl import MOST_GAP
from scaling.training.work import work

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def test_a_leg_on_a_gpu_learns_as_on_a_cpu(tmp_path: Path) -> None:
    model = recipe.llama(16, tasks.VOCABULARY, 48)
    data = rl_recipe.traces("s5", [1, 2, 3], ["1", "direct"])
    (start,) = recipe.whole_runs(model, data, [400 * 480], batch_tokens=480, seed=0)
    learned = rl_recipe.learning(
        start, "s5", [3], 6, max_tokens=24, seed=0, checkpoints=(2, 6), prompts=6, group=8
    )
    asked = [
        rl_recipe.samples(
            of,
            "s5",
            3,
            ["free", "asked 1", "forced 1", "cut 3"],
            max_tokens=24,
            problems=4,
            each=64,
            verifier=True,
        )
        for of in (start, learned)
    ]
    specs: list[Spec] = [start, learned, *asked]
    scores, losses = {}, {}
    for device in ("cpu", "cuda:0"):
        store = Store(tmp_path / device[:4]).open()
        for spec in specs:
            ended = work(spec, store, device=device, stop=lambda: True)  # stopped once, then on to the end
            assert ended or work(spec, store, device=device)
        rows = {spec_id(spec): store.rows(spec_id(spec)) for spec in specs}
        losses[device] = rows[spec_id(start)].steps.iloc[-1]["loss_nats"]
        steps = rows[spec_id(learned)].steps
        assert len(steps) == 6
        assert steps["logprob_gap"].max() < MOST_GAP
        scores[device] = [rows[spec_id(spec)].evals["score"].mean() for spec in asked]
    assert losses["cuda:0"] == pytest.approx(losses["cpu"], abs=0.02)
    assert scores["cuda:0"] == pytest.approx(scores["cpu"], abs=0.05)
