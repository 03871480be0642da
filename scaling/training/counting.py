"""The counting learner's runs: exact losses, no torch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from scaling import corpora
from scaling.corpora import SantaFe, counting, santa_fe_laws
from scaling.errors import InputError
from scaling.records.spec import CountingSpec, spec_id, to_json
from scaling.records.tables import Records, EVALS, STEPS, empty
from scaling.training.environment import hardware, versions

if TYPE_CHECKING:
    from scaling.records.store import Store


def run(spec: CountingSpec, store: Store) -> None:
    """Meet the spec's tokens with its capacity and write a checkpoint row for each count of tokens."""
    import pandas as pd

    begun = time.perf_counter()
    corpora.load(spec.data.corpus, spec.data.sha256)
    language = corpora.find(spec.data.corpus)
    if not isinstance(language, SantaFe):
        raise InputError(f"a counting learner reads a santa_fe language, got corpus {spec.data.corpus!r}")
    excess_D = counting.excess([spec.levels], spec.tokens, spec.seed, language.a)[0]
    run_id = spec_id(spec)
    store.add(spec)
    checkpoints = pd.DataFrame(
        {
            "run_id": run_id,
            "step": range(len(spec.tokens)),
            "tokens_seen": spec.tokens,
            "annealed": True,
            "loss_nats": santa_fe_laws.entropy(language.a) + excess_D,
            "loss_se": 0.0,
        }
    )
    row = {
        "run_id": run_id,
        "kind": "counting",
        "status": "done",
        "trunk_id": run_id,
        "params_total": 2**spec.levels,
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
