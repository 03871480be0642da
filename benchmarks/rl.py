"""RL steps: where their time goes, and what the framework adds to a bare loop of the same parts, in one run.

    python benchmarks/rl.py [--steps 48] [--rounds 5] [--width 64]

The bare loop samples, verifies and updates with the same functions and weights, and has no trainer, no rows, no states and
no progress. Both are timed whole, from reading the start's weights to the end, the shipped run with a state every eighth
step; they take the same steps and alternate, and the median of the ratios is what counts. Recorded with date and hardware in
README.md beside this file.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import torch

from scaling.inference.weights import Weights
from scaling.records import recipe, rl_recipe
from scaling.records.spec import PretrainSpec, RLSpec, spec_id
from scaling.records.store import Store
from scaling.training import rl_run
from scaling.training.environment import hardware, versions
from scaling.training.pretrain import run as pretrain
from scaling.training.rl import BETAS, RLModule
from scaling.training.rollout import trials


def started(folder: Path, width: int, steps: int) -> tuple[Store, RLSpec]:
    """Return a store with a short pretraining run, and an RL spec from it."""
    store = Store(folder / "store").open()
    data = rl_recipe.traces("s5", range(1, 5))
    (start,) = recipe.whole_runs(recipe.llama(width, 53, 128), data, [400_000], batch_tokens=2048, seed=0)
    pretrain(start, store)
    checkpoints = sorted({*range(8, steps, 8), steps})
    return store, rl_recipe.learning(start, "s5", [3], steps, max_tokens=64, seed=0, checkpoints=checkpoints)


def bare(store: Store, spec: RLSpec) -> tuple[float, dict[str, float]]:
    """Return the seconds of the bare loop, from reading the weights to the last update, and of its parts."""
    assert isinstance(spec.start, PretrainSpec)
    begun = time.perf_counter()
    model = rl_run.load_weights(store, spec.start, spec.start.steps)
    module = RLModule(spec, model, spec.start.model, lambda step: None)
    optimizer = torch.optim.AdamW(model.parameters(), lr=spec.lr, betas=BETAS, weight_decay=0.0, fused=True)
    weights = Weights(model, spec.start.model)
    parts = dict.fromkeys(("sampling", "verifying", "update"), 0.0)
    for step in range(spec.steps):
        at = time.perf_counter()
        weights.refresh()
        found = trials(spec, module.task, step, weights, module.pass_rates)
        parts["verifying"] += found.verifier_seconds
        parts["sampling"] += time.perf_counter() - at - found.verifier_seconds
        at = time.perf_counter()
        kept = (found.learned != found.learned[:, :1]).any(1)
        module.gradients(found, kept, 0)
        torch.nn.utils.clip_grad_norm_(model.parameters(), spec.clip_norm)
        if kept.any():
            optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        parts["update"] += time.perf_counter() - at
    return time.perf_counter() - begun, parts


def framework(store: Store, spec: RLSpec) -> float:
    """Return the seconds of the shipped run: trainer, rows, a state at every checkpoint, weights and tables at the end."""
    begun = time.perf_counter()
    rl_run.run(spec, store)
    seconds = time.perf_counter() - begun
    assert len(list(store.folder(spec_id(spec)).glob("state-*.pt"))) == len(spec.checkpoints) - 1
    shutil.rmtree(store.folder(spec_id(spec)))
    return seconds


def main() -> None:
    """Print the split of a step and the overhead."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--width", type=int, default=64)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{hardware('cpu')}; {versions()}; width {options.width}, 24 prompts x 16, fp32, one thread")
    with tempfile.TemporaryDirectory() as folder:
        store, spec = started(Path(folder), options.width, options.steps)
        plain, ours, split = [], [], []
        for _ in range(options.rounds):
            seconds, parts = bare(store, spec)
            plain.append(seconds)
            split.append(parts)
            ours.append(framework(store, spec))
    whole = statistics.median(plain)
    for part in split[0]:
        share = statistics.median(one[part] for one in split) / whole
        print(f"{part:>10} {100 * share:5.1f} % of a bare step of {1e3 * whole / options.steps:.0f} ms")
    ratio = statistics.median(a / b for a, b in zip(ours, plain, strict=True))
    print(f"framework / bare loop: {ratio:.3f}")


if __name__ == "__main__":
    main()
