"""Samples of one checkpoint on held-out problems, under each of some thinking budgets: rows of EVALS and SAMPLES.

Answers are kept, so that majority votes and best-of-k can be put together later. Shapes: P problems, G completions of each,
B = P G.
"""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from scaling import tasks
from scaling.inference import verifier
from scaling.inference.decode import Completions, Sampling, decode
from scaling.inference.forcing import forced
from scaling.inference.weights import Weights
from scaling.records.flops import completion_flops, prefill_flops
from scaling.records.spec import SamplingSpec, spec_id
from scaling.records.tables import Records, records_of
from scaling.tasks import PAD, Task, terminal_answer, texts
from scaling.tasks.setting import Setting, read

if TYPE_CHECKING:
    import pandas as pd
    from transformers import LlamaForCausalLM

    from scaling.records.spec import ModelSpec

Whole = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]

PRACTICE, EACH = 128, 16
"""Training problems whose completions a verifier learns from, and completions of each."""
PER_NAT = 2**8
"""Steps of a nat in which scores are kept: all their bits would be noise that no file compresses."""
PRACTICE_SEED = 2**63 + 2
"""Seed of those problems, which no run may have."""


def sample(
    spec: SamplingSpec,
    model: LlamaForCausalLM,
    shape: ModelSpec,
    *,
    step: int,
    bf16: bool = False,
    progress: Callable[[int], None] = lambda tokens: None,
    stop: Callable[[], bool] = lambda: False,
) -> Records | None:
    """Return the rows of a spec, or None if ``stop`` said so between two settings; the model is that after ``step``.

    ``progress`` hears the most tokens that were written so far. Raises ``InputError`` for another version of the task, and
    for settings and problems that it does not have.
    """
    import pandas as pd

    task = tasks.find(spec.task, spec.task_version)
    chosen = [read(text, task) for text in spec.settings]
    keys = task.distinct(spec.seed, spec.problems, spec.difficulty, "held_out")
    weights = Weights(model, shape, torch.bfloat16 if bf16 else torch.float32)
    evals: list[dict[str, Any]] = []
    samples: list[pd.DataFrame] = []
    for done, setting in enumerate(chosen):
        progress(done * spec.problems * spec.samples * spec.max_tokens)
        if stop():
            return None
        row, rows = _measured(spec, task, setting, keys, weights)
        evals.append(row | {"step": step})
        samples.append(rows)
    return records_of(evals=pd.DataFrame(evals), samples=pd.concat(samples, ignore_index=True))


def _measured(
    spec: SamplingSpec, task: Task, setting: Setting, keys: Whole, weights: Weights
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return the row of EVALS and the rows of SAMPLES of one setting."""
    import pandas as pd

    begun = time.perf_counter()
    eval_id = spec_id(dataclasses.replace(spec, settings=(str(setting),)))
    prompts, found = _completions(spec, task, setting, keys, spec.samples, weights, f"{eval_id} held out")
    said = texts(found.tokens.cpu().numpy(), found.lengths.cpu().numpy())
    right = task.scores(keys.repeat(spec.samples), spec.difficulty, said)
    judged: Real | None = None
    spent: dict[str, Any] = {}
    if spec.verifier:
        judged, spent = _judged(spec, task, setting, weights, prompts, found, right, eval_id)
    rows = pd.DataFrame(
        {
            "eval_id": eval_id,
            "problem": keys.repeat(spec.samples),
            "difficulty": spec.difficulty,
            "sample": np.tile(np.arange(spec.samples), len(keys)),
            "answer": [terminal_answer(one) for one in said],
            "correct": right > 0,
            "tokens": found.lengths.cpu().numpy(),
            "truncated": ~found.ended.cpu().numpy(),
            "verifier_score": None
            if judged is None
            else (np.round(judged * PER_NAT) / PER_NAT).astype(np.float32),
        }
    )
    by_problem = right.reshape(len(keys), -1).mean(1)
    row = {
        "eval_id": eval_id, "run_id": spec_id(spec.of), "task": task.name,
        "task_version": task.version, "difficulty": spec.difficulty, "method": setting.method,
        "budget": setting.budget, "budget_tokens": setting.tokens(task, keys, spec.difficulty),
        "samples": spec.samples, "temperature": spec.temperature, "top_p": spec.top_p, "seed": spec.seed,
        "n_problems": len(keys), "score": by_problem.mean(),
        "score_se": by_problem.std(ddof=1) / np.sqrt(len(keys)) if len(keys) > 1 else None,
        "chance_score": task.chance(spec.difficulty), **_cost(prompts, found, weights.spec), **spent,
        "tokens_mean": rows["tokens"].mean(), "truncated_share": rows["truncated"].mean(),
        "device_seconds": time.perf_counter() - begun,
    }  # fmt: skip
    return row, rows


def _completions(
    spec: SamplingSpec, task: Task, setting: Setting, keys: Whole, samples: int, weights: Weights, name: str
) -> tuple[Whole, Completions]:
    """Return prompts and completions; randomness is the name's own."""
    prompts = setting.prompts(task, keys, spec.difficulty)
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1
    found = decode(
        weights,
        prompts,
        spec.max_tokens,
        seed=seed,
        group=samples,
        sampling=Sampling(spec.temperature, spec.top_p),
        force=forced(setting, task, keys, spec.difficulty, samples, weights.device),
    )
    return prompts, found


def _judged(
    spec: SamplingSpec, task: Task, setting: Setting, weights: Weights, prompts: Whole, found: Completions,
    right: Real, eval_id: str,
) -> tuple[Real, dict[str, Any]]:  # fmt: skip
    """Return a verifier's score of each completion, (B,), and what it cost; it learns from training problems alone."""
    keys = task.problems(PRACTICE_SEED, np.arange(PRACTICE), spec.difficulty)
    asked, own = _completions(spec, task, setting, keys, EACH, weights, f"{eval_id} practice")
    said = texts(own.tokens.cpu().numpy(), own.lengths.cpu().numpy())
    practice = verifier.read(weights.model, weights.spec, asked, own)
    learned = verifier.trained(practice.features, task.scores(keys.repeat(EACH), spec.difficulty, said))
    read = verifier.read(weights.model, weights.spec, prompts, found)
    scores = learned.scores(read.features)
    cost = _cost(asked, own, weights.spec)
    sampled = (
        PRACTICE * cost["infer_flops_prefill_per_problem"]
        + len(said) * cost["infer_flops_decode_per_problem"]
    )
    return scores, {
        "infer_flops_verifier_per_problem": read.flops.mean(),
        "verifier_train_flops": sampled + practice.flops.sum(),
        "verifier_auc": verifier.auc(scores, right),
    }


def _cost(prompts: Whole, found: Completions, shape: ModelSpec) -> dict[str, float]:
    """Return the FLOPs of reading a prompt once and of writing one completion, on average, padding not counted."""
    sizes = (prompts != PAD).sum(axis=1)
    lengths = found.lengths.cpu().numpy().reshape(len(prompts), -1)
    pairs, counts = np.unique(
        np.stack([np.broadcast_to(sizes[:, None], lengths.shape), lengths], -1).reshape(-1, 2),
        axis=0,
        return_counts=True,
    )
    written = [completion_flops(shape, prompt, length) for prompt, length in pairs.tolist()]
    prefill = float(np.mean([prefill_flops(shape, size) for size in sizes.tolist()]))
    decoded = float(np.average(written, weights=counts))
    return {"infer_flops_prefill_per_problem": prefill, "infer_flops_decode_per_problem": decoded}
