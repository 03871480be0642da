"""Training speed: the core against a tight plain-PyTorch loop, and two workers against one, in one run.

    python benchmarks/training.py [--precision bf16] [--seconds 20]

The loop and the core train the same model on the same data with the same optimiser; the loop has no logging, no
states and no progress. Both alternate in slices, so that a machine whose speed drifts is fair to both; the ratio
of medians is what counts. Recorded with date and hardware in README.md beside this file.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from scaling import corpora
from scaling.records import recipe
from scaling.records.flops import params_by_group
from scaling.records.spec import CorpusData, PretrainSpec
from scaling.records.store import Store
from scaling.training.environment import hardware, versions
from scaling.training.model import build, parameter_groups
from scaling.training.work import work

WIDTHS = {"0.3M": 88, "1M": 144, "5M": 232}
"""Widths whose models have about so many parameters."""
BATCH_TOKENS = 2048
CONTEXT = 128
ROUNDS = 5


def plain_loop(spec: PretrainSpec, seconds: float) -> float:
    """Return tokens per second of the shortest correct loop."""
    corpus = corpora.load(spec.data.corpus)
    model = build(spec.model, spec.seed)
    optim = spec.optim
    optimizer = torch.optim.AdamW(
        parameter_groups(model, optim.weight_decay), lr=optim.lr, betas=(optim.beta1, optim.beta2), fused=True
    )
    rows, done, begun = optim.batch_tokens // CONTEXT, 0, time.perf_counter()
    while time.perf_counter() - begun < seconds:
        batch = torch.from_numpy(corpus.batch(spec.seed, done, rows, CONTEXT))
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=spec.precision == "bf16"):
            logits = model(input_ids=batch[:, :-1], use_cache=False).logits.float()
        F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), optim.clip_norm)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        done += 1
    return done * optim.batch_tokens / (time.perf_counter() - begun)


def core(spec: PretrainSpec, seconds: float) -> float:
    """Return tokens per second of the training core, from its first to its last step."""
    marks: list[tuple[float, int]] = []

    def progress(tokens: int) -> None:
        marks.append((time.perf_counter(), tokens))

    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        work(spec, store, progress=progress, stop=lambda: marks[-1][0] - marks[0][0] > seconds)
    return (marks[-1][1] - marks[0][1]) / (marks[-1][0] - marks[0][0])


def spec_of(width: int, precision: str) -> PretrainSpec:
    """Return a run that is far too long to end within the benchmark."""
    ready = corpora.load("python")
    model = recipe.llama(width, ready.vocabulary, CONTEXT)
    data = CorpusData(ready.name, ready.sha256)
    return recipe.trunk(model, data, 10**6, batch_tokens=BATCH_TOKENS, seed=0, precision=precision)


def workers(count: int, width: int, precision: str, seconds: float) -> float:
    """Return the tokens per second of ``count`` single-thread processes together."""
    command = [
        sys.executable,
        __file__,
        "--core",
        str(width),
        "--precision",
        precision,
        "--seconds",
        str(seconds),
    ]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    return sum(float(process.communicate()[0].split()[-1]) for process in running)


def main() -> None:
    """Print the table of ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of each slice")
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.core:
        print(core(spec_of(options.core, options.precision), options.seconds))
        return
    print(f"{hardware('cpu')}; {versions()}; {options.precision}, batch {BATCH_TOKENS}, context {CONTEXT}")
    print(f"{'size':>6} {'params':>10} {'plain tok/s':>12} {'core tok/s':>12} {'core / plain':>13}")
    for name, width in WIDTHS.items():
        spec = spec_of(width, options.precision)
        plain, ours = [], []
        for _ in range(ROUNDS):
            plain.append(plain_loop(spec, options.seconds))
            ours.append(core(spec, options.seconds))
        ratio = statistics.median(a / b for a, b in zip(ours, plain, strict=True))
        params = sum(params_by_group(spec.model).values())
        print(
            f"{name:>6} {params:>10,} {statistics.median(plain):>12,.0f} {statistics.median(ours):>12,.0f} "
            f"{ratio:>13.3f}"
        )
    one = statistics.median(
        workers(1, WIDTHS["0.3M"], options.precision, 2 * options.seconds) for _ in range(3)
    )
    two = statistics.median(
        workers(2, WIDTHS["0.3M"], options.precision, 2 * options.seconds) for _ in range(3)
    )
    print(f"two workers / one worker at 0.3M: {two / one:.2f}  ({two:,.0f} / {one:,.0f} tokens/s)")


if __name__ == "__main__":
    main()
