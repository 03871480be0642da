"""One spec to one finished run folder, whatever its kind."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from scaling.records.spec import CountingSpec, RLSpec, SamplingSpec, Spec

if TYPE_CHECKING:
    from scaling.records.store import Store


def work(
    spec: Spec,
    store: Store,
    *,
    branches: Collection[int] = (),
    device: str = "cpu",
    progress: Callable[[int], None] = lambda tokens: None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Run ``spec`` in its folder of ``store`` until it ends or ``stop`` says so; return whether it ended.

    ``branches`` are steps of a trunk whose state is kept, ``progress`` hears the tokens seen so far.
    """
    if isinstance(spec, CountingSpec):
        from scaling.training.counting import run as count

        count(spec, store)
        return True
    if isinstance(spec, RLSpec):
        from scaling.training.rl_run import run as learn

        return learn(spec, store, device=device, progress=progress, stop=stop)
    if isinstance(spec, SamplingSpec):
        from scaling.training.sampling_run import run as sample

        return sample(spec, store, device=device, progress=progress, stop=stop)
    from scaling.training.pretrain import run as pretrain

    return pretrain(spec, store, branches=branches, device=device, progress=progress, stop=stop)
