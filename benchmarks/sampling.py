"""Sampling speed: the suite's decoding against transformers' `generate`, same weights and dtype, in one run.

    python benchmarks/sampling.py [--rounds 5] [--tokens 64] [--device cuda]

Both write the same number of tokens after the same prompts, sampled at temperature 1 from all tokens, without an end
token, on one thread; they alternate, and the median of the rounds' ratios is what counts. The limit is what the device (one
core of a CPU) multiplies in large matrices, measured here, over the FLOPs of a token. Recorded with date and hardware in
README.md beside this file.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from scaling.inference.decode import decode
from scaling.inference.weights import Weights
from scaling.records.flops import decode_flops, params_by_group
from scaling.records.spec import ModelSpec
from scaling.tasks import find
from scaling.training.environment import hardware, versions
from scaling.training.model import build

SHAPES = {
    "0.3M": ModelSpec(width=96, layers=3, heads=6, mlp_width=256, vocabulary=53, context=128),
    "1M": ModelSpec(width=144, layers=4, heads=9, mlp_width=384, vocabulary=53, context=128),
    "10M": ModelSpec(width=320, layers=8, heads=5, mlp_width=856, vocabulary=53, context=128),
}
"""Shapes of the recipe with about so many parameters."""
BATCHES = (64, 256)


def timed(what: Callable[[], object], device: str) -> float:
    """Return the seconds that something takes, the device's queue emptied before and after."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    wait()
    begun = time.perf_counter()
    what()
    wait()
    return time.perf_counter() - begun


def matmul_rate(dtype: torch.dtype, device: str) -> float:
    """Return the FLOPs a second on large matrices."""
    size = 8192 if device == "cuda" else 1024
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    return 2 * size**3 / min(timed(lambda: a @ b, device) for _ in range(8))


def writers(
    shape: ModelSpec, batch: int, tokens: int, dtype: torch.dtype, device: str
) -> dict[str, Callable[[], object]]:
    """Return what writes the tokens, ours and theirs."""
    task = find("s5")
    prompts = task.prompts(task.problems(0, np.arange(batch), 10), 10)
    on: Any = torch.device(device)
    model = build(shape, 0).eval().to(on)
    weights = Weights(model, shape, dtype)
    theirs = build(shape, 0).eval().to(on).to(dtype)
    ids = torch.from_numpy(prompts).to(on)
    mask = torch.ones_like(ids)
    return {
        "ours": lambda: decode(weights, prompts, tokens, seed=0, end=None),
        "generate": lambda: theirs.generate(
            ids, attention_mask=mask, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=True, temperature=1.0,
            top_k=0, top_p=1.0, pad_token_id=0, use_cache=True,
        ),
    }  # fmt: skip


def main() -> None:
    """Print the table of ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{hardware(options.device)}; {versions()}; one thread, {options.tokens} new tokens after 11")
    heads = ("size", "params", "dtype", "batch", "ours tok/s", "generate", "ratio", "of limit")
    print(" ".join(f"{head:>{width}}" for head, width in zip(heads, (5, 10, 9, 6, 11, 9, 6, 9), strict=True)))
    for dtype in (torch.float32, torch.bfloat16):
        limit = matmul_rate(dtype, options.device)
        for name, shape in SHAPES.items():
            for batch in BATCHES:
                row(name, shape, batch, dtype, limit, options)


def row(
    name: str, shape: ModelSpec, batch: int, dtype: torch.dtype, limit: float, options: argparse.Namespace
) -> None:
    """Measure and print one line."""
    tokens = options.tokens
    both = writers(shape, batch, tokens, dtype, options.device)
    speeds: dict[str, list[float]] = {what: [] for what in both}
    for turn in range(options.rounds + 1):
        for what, write in both.items():
            seconds = timed(write, options.device)
            if turn:  # the first warms up
                speeds[what].append(batch * tokens / seconds)
    ours, theirs = (statistics.median(speeds[what]) for what in ("ours", "generate"))
    ratio = statistics.median(a / b for a, b in zip(*speeds.values(), strict=True))
    share = ours * decode_flops(shape, 11 + tokens // 2) / limit
    print(
        f"{name:>5} {sum(params_by_group(shape).values()):>10,} {str(dtype).removeprefix('torch.'):>9} {batch:>6} "
        f"{ours:>11,.0f} {theirs:>9,.0f} {ratio:>6.2f} {100 * share:>8.2g}%",
        flush=True,
    )


if __name__ == "__main__":
    main()
