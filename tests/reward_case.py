"""Records of RL runs whose held-out scores follow a planted curve: real specs, made-up numbers."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from scaling.laws import Sigmoid
from scaling.records import recipe, rl_recipe
from scaling.records.columns import TABLES
from scaling.records.flops import params_by_group
from scaling.records.spec import PretrainSpec, RLSpec, spec_id, to_json
from scaling.records.tables import Records, check, empty

WORD, STEPS = 6, (1, 2, 4, 8, 16, 32, 64, 96, 128)
PRETRAINING = 1e12
"""FLOPs of every start."""
SHARES = {
    "forward_backward": 0.5,
    "rollout_prefill": 0.05,
    "rollout_decode": 0.25,
    "discarded": 0.2,
    "old_logprobs": 0.0,
}
"""What an RL step spends by component."""
Curve = Callable[[np.ndarray], np.ndarray]


def law(width: int) -> Sigmoid:
    """Return the law of a size: larger models bend at less compute."""
    return Sigmoid(R0=0.08, A=0.94, C_mid=6e10 * (64 / width), B=1.6)


def starts_and_runs(width: int, seed: int) -> tuple[PretrainSpec, RLSpec]:
    """Return the specs of one run."""
    data = rl_recipe.traces("s5", range(1, 11), ("1", "direct"))
    model = recipe.llama(width, 53, 128)
    (start,) = recipe.whole_runs(model, data, [100_000], batch_tokens=2048, seed=seed)
    return start, rl_recipe.learning(
        start, "s5", [WORD], STEPS[-1], max_tokens=64, seed=seed, checkpoints=STEPS
    )


def reward_records(
    curves: dict[int, Curve], seeds: Sequence[int] = (0, 1, 2), *, noise: float = 0.01, luck: float = 0.15,
    died: tuple[int, int] | None = None, draw: int = 0,
) -> Records:  # fmt: skip
    """Return records of every width and seed.

    A run's compute is 3e9 FLOPs a step; luck spreads the compute that its score answers to by a factor, noise its scores.
    The run (width, seed) that ``died`` diverged at step 40.
    """
    rng = np.random.default_rng(draw)
    tables: dict[str, list[dict[str, Any]]] = {table.name: [] for table in TABLES}
    for width, curve in curves.items():
        for seed in seeds:
            start, run = starts_and_runs(width, seed)
            ended = 40 if died == (width, seed) else STEPS[-1]
            _add_run(tables, start, run, died == (width, seed))
            factor = np.exp(luck * rng.standard_normal())
            _add_eval(tables, spec_id(start), start.steps, float(curve(np.array([1e-3]))[0]))
            for step in range(1, ended + 1):
                tables["steps"].append(_step(spec_id(run), step))
            kept = [step for step in STEPS if step <= ended]
            for step in [*kept, ended] if ended not in kept else kept:
                spent = {
                    name: value for name, value in _step("", step).items() if name.startswith("train_flops")
                }
                tables["checkpoints"].append(
                    {
                        "run_id": spec_id(run),
                        "step": step,
                        "tokens_seen": step * 384 * 30,
                        "annealed": False,
                        **spent,
                    }
                )
            if died != (width, seed):
                for step in kept:
                    at = float(curve(np.array([3e9 * step * factor]))[0])
                    _add_eval(tables, spec_id(run), step, at + noise * rng.standard_normal())
    frames = {t.name: pd.DataFrame(tables[t.name]) if tables[t.name] else empty(t) for t in TABLES}
    return Records(**frames).map(check)


def _step(run_id: str, step: int) -> dict[str, Any]:
    done = 1 - np.exp(-step / 30)
    return {
        "run_id": run_id, "step": step, "lr": 1e-4, "reward": 0.1 + 0.8 * done, "entropy_nats": 0.3 - 0.2 * done,
        "tokens_mean": 20 + 20 * done, "truncated_share": 0.01, "kept_share": 0.6, "logprob_gap": 1e-6, "staleness": 0,
        "grad_norm": 0.5, "seconds": float(step),
        **{f"train_flops_{name}": share * 3e9 * step for name, share in SHARES.items()},
    }  # fmt: skip


def _add_run(tables: dict[str, list[dict[str, Any]]], start: PretrainSpec, run: RLSpec, died: bool) -> None:
    groups = params_by_group(start.model)
    shared = {
        "params_total": sum(groups.values()), **{f"params_{name}": count for name, count in groups.items()},
        "width": start.model.width, "trunk_id": spec_id(start), "hardware": "x", "device_seconds": 1.0, "version": "1",
        "data_sha256": "ab" * 32, "tokens_planned": start.tokens, "seed_data": start.seed,
    }  # fmt: skip
    tables["runs"] += [
        {"run_id": spec_id(start), "kind": "pretrain", "status": "done", "data": "s5", "spec": to_json(start),
         "batch_tokens": 2048, **shared},
        {"run_id": spec_id(run), "kind": "rl", "status": "diverged" if died else "done", "data": "rl:s5",
         "reason": "gradient norm is nan at step 40" if died else None, "parent_run_id": spec_id(start),
         "parent_step": start.steps, "spec": to_json(run), **shared},
    ]  # fmt: skip
    tables["checkpoints"].append(
        {
            "run_id": spec_id(start), "step": start.steps, "tokens_seen": start.tokens, "annealed": True,
            "train_flops_forward_backward": PRETRAINING, "loss_nats": 0.5, "loss_se": 0.01,
        }
    )  # fmt: skip


def _add_eval(tables: dict[str, list[dict[str, Any]]], run_id: str, step: int, score: float) -> None:
    tables["evals"].append(
        {
            "eval_id": f"{run_id}-{step}", "run_id": run_id, "step": step, "task": "s5", "difficulty": WORD,
            "method": "free", "samples": 16, "n_problems": 128, "score": float(np.clip(score, 0, 1)), "score_se": 0.01,
            "tokens_mean": 30.0, "truncated_share": 0.0, "device_seconds": 1.0,
        }
    )  # fmt: skip
