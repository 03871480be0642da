"""The counting learners' runs: measured on held-out text of their own, without torch."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from scaling import corpora
from scaling.corpora import SantaFe, counting
from scaling.errors import InputError
from scaling.records.columns import EVALS, STEPS
from scaling.records.spec import CountingSpec, spec_id, to_json
from scaling.records.tables import Records, empty
from scaling.training.environment import hardware, versions

if TYPE_CHECKING:
    from scaling.records.store import Store


def run(spec: CountingSpec, store: Store) -> None:
    """Measure the spec's learners and write a checkpoint row for each.

    Learners share neither text nor held-out sample: noise that rows have in common would be invisible to a
    resampling of rows, and a shared sample's would end up in the floor.
    """
    import pandas as pd

    begun = time.perf_counter()
    corpora.load(spec.data.corpus, spec.data.sha256)
    language = corpora.find(spec.data.corpus)
    if not isinstance(language, SantaFe):
        raise InputError(f"a counting learner reads a santa_fe language, got corpus {spec.data.corpus!r}")
    run_id = spec_id(spec)
    store.add(spec)
    losses = [
        counting.measure(spec.levels, tokens, spec.heldout_tokens, _seed(run_id, tokens), language.a)
        for tokens in spec.tokens
    ]
    checkpoints = pd.DataFrame(
        {
            "run_id": run_id,
            "step": range(len(spec.tokens)),
            "tokens_seen": spec.tokens,
            "annealed": True,
            "loss_nats": [loss for loss, _ in losses],
            "loss_se": [se for _, se in losses],
        }
    )
    row = {
        "run_id": run_id,
        "kind": "counting",
        "status": "done",
        "trunk_id": run_id,
        "params_total": 2**spec.levels - 1,
        "data": spec.data.corpus,
        "data_sha256": spec.data.sha256,
        "tokens_planned": max(spec.tokens),
        "seed_data": spec.seed,
        "hardware": hardware("cpu"),
        "device_seconds": time.perf_counter() - begun,
        "version": versions(),
        "spec": to_json(spec),
    }
    store.finish(run_id, Records(pd.DataFrame([row]), checkpoints, empty(STEPS), empty(EVALS)))


def _seed(run_id: str, tokens: int) -> int:
    """Return a seed for one learner of a run, unlike that of any other."""
    return int.from_bytes(hashlib.sha256(f"{run_id} {tokens}".encode()).digest()[:8], "big")
