"""Sampling speed: the suite's decoding against transformers' `generate`, same weights and dtype, in one run.

    python benchmarks/sampling.py [--rounds 5] [--tokens 64] [--device cuda]

Two ways: `groups`, as RL and evaluations sample, 16 completions of each problem until they end or are full; and `fixed`, a
completion of full length of each problem and no end. Tokens count up to the end of their completion. Both sample at
temperature 1 from all tokens, on one thread; they alternate, and the median of the rounds' ratios is what counts. Untrained
weights end a completion with a chance of about 1 in 53 a token. The limit is what the device (one core of a CPU) multiplies
in large matrices, measured here, over the FLOPs of a token. Recorded with date and hardware in README.md beside this file.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from scaling.inference.decode import END, decode
from scaling.inference.weights import Weights
from scaling.records.flops import decode_flops, params_by_group
from scaling.records.spec import ModelSpec
from scaling.tasks import PAD, find
from scaling.training.environment import hardware, versions
from scaling.training.model import build

SHAPES = {
    "0.3M": ModelSpec(width=96, layers=3, heads=6, mlp_width=256, vocabulary=53, context=128),
    "1M": ModelSpec(width=144, layers=4, heads=9, mlp_width=384, vocabulary=53, context=128),
    "10M": ModelSpec(width=320, layers=8, heads=5, mlp_width=856, vocabulary=53, context=128),
}
"""Shapes of the recipe with about so many parameters."""
BATCHES = (64, 256)
WAYS = ("groups", "fixed")
GROUP = 16


def timed(what: Callable[[], Any], device: str) -> tuple[float, Any]:
    """Return the seconds that something takes, the device's queue emptied before and after, and what it returns."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    wait()
    begun = time.perf_counter()
    found = what()
    wait()
    return time.perf_counter() - begun, found


def matmul_rate(dtype: torch.dtype, device: str) -> float:
    """Return the FLOPs a second on large matrices."""
    size = 8192 if device == "cuda" else 1024
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    return 2 * size**3 / min(timed(lambda: a @ b, device)[0] for _ in range(8))


def writers(
    shape: ModelSpec, batch: int, tokens: int, dtype: torch.dtype, way: str, device: str
) -> dict[str, Callable[[], int]]:
    """Return what writes completions and says how many tokens they have, ours and theirs."""
    group, end = (GROUP, END) if way == "groups" else (1, None)
    task = find("s5")
    prompts = task.prompts(task.problems(0, np.arange(batch // group), 10), 10)
    on: Any = torch.device(device)
    model = build(shape, 0).eval().to(on)
    weights = Weights(model, shape, dtype)
    theirs = build(shape, 0).eval().to(on).to(dtype)
    ids = torch.from_numpy(prompts).to(on)
    mask = torch.ones_like(ids)

    def ours() -> int:
        return int(decode(weights, prompts, tokens, seed=0, group=group, end=end).lengths.sum())

    def generate() -> int:
        written = theirs.generate(
            ids, attention_mask=mask, max_new_tokens=tokens, min_new_tokens=tokens if end is None else None, do_sample=True,
            temperature=1.0, top_k=0, top_p=1.0, pad_token_id=PAD, eos_token_id=end, num_return_sequences=group,
            use_cache=True,
        )[:, ids.shape[1] :]  # fmt: skip
        if end is None:
            return int(written.numel())
        return int(((written == end).cumsum(1) - (written == end).long() == 0).sum())

    return {"ours": ours, "generate": generate}


def main() -> None:
    """Print the table of ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--sizes", nargs="*", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"{hardware(options.device)}; {versions()}; one thread, at most {options.tokens} new tokens after 11"
    )
    heads = ("way", "size", "params", "dtype", "batch", "ours tok/s", "generate", "ratio", "of limit")
    print(
        " ".join(f"{head:>{width}}" for head, width in zip(heads, (6, 5, 10, 9, 6, 11, 9, 6, 9), strict=True))
    )
    for dtype in (torch.float32, torch.bfloat16):
        limit = matmul_rate(dtype, options.device)
        for way in WAYS:
            for name in options.sizes:
                for batch in BATCHES:
                    row(way, name, batch, dtype, limit, options)


def row(
    way: str, name: str, batch: int, dtype: torch.dtype, limit: float, options: argparse.Namespace
) -> None:
    """Measure and print one line."""
    tokens, shape = options.tokens, SHAPES[name]
    both = writers(shape, batch, tokens, dtype, way, options.device)
    speeds: dict[str, list[float]] = {what: [] for what in both}
    for turn in range(options.rounds + 1):
        for what, write in both.items():
            seconds, written = timed(write, options.device)
            if turn:  # the first warms up
                speeds[what].append(written / seconds)
    ours, theirs = (statistics.median(speeds[what]) for what in ("ours", "generate"))
    ratio = statistics.median(a / b for a, b in zip(*speeds.values(), strict=True))
    share = ours * decode_flops(shape, 11 + tokens // 2) / limit
    print(
        f"{way:>6} {name:>5} {sum(params_by_group(shape).values()):>10,} {str(dtype).removeprefix('torch.'):>9} {batch:>6} "
        f"{ours:>11,.0f} {theirs:>9,.0f} {ratio:>6.2f} {100 * share:>8.2g}%",
        flush=True,
    )


if __name__ == "__main__":
    main()
