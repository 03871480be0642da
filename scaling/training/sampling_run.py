"""Samples of a finished run's checkpoint, in a folder of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from scaling.inference.sampling import sample
from scaling.records.cost import spec_model
from scaling.records.spec import CooldownSpec, SamplingSpec, kept_steps, spec_id
from scaling.records.tables import no_records
from scaling.training.starting import load_weights

if TYPE_CHECKING:
    from scaling.records.store import Store


def run(
    spec: SamplingSpec,
    store: Store,
    *,
    device: str = "cpu",
    progress: Callable[[int], None] = lambda tokens: None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Sample a checkpoint and write the rows; return whether it ended. A run that diverged has none to sample: no rows."""
    import torch

    store.add(spec)
    rows = store.rows(spec_id(spec.of))
    if rows.runs.iloc[0]["status"] == "diverged":
        store.finish(spec_id(spec), no_records())
        return True
    model = load_weights(store, spec.of, spec.step)
    model.to(torch.device(device))  # type: ignore[arg-type]  # its stub knows no module's own ``to``
    at_end = spec.step == kept_steps(spec.of)[-1]
    step = int(rows.checkpoints["step"].max()) if at_end else spec.step
    found = sample(
        spec, model, spec_model(spec.of), step=step, bf16=_precision(spec) == "bf16", progress=progress, stop=stop
    )  # fmt: skip
    if found is None:
        return False
    store.finish(spec_id(spec), found)
    return True


def _precision(spec: SamplingSpec) -> str:
    """Return the arithmetic of the run that is sampled."""
    run = spec.of
    return run.trunk.precision if isinstance(run, CooldownSpec) else run.precision
