"""What a grid would cost: the table behind ``scaling plan``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaling.records.cost import DEVICES, Device, predicted_bytes, predicted_seconds, spec_flops, spec_model
from scaling.records.cost import spec_tokens as tokens_of
from scaling.records.flops import params_by_group
from scaling.records.spec import CountingSpec, Spec, kind_of, spec_id
from scaling.reporting.numbers import duration, quantity
from scaling.study import with_parents

if TYPE_CHECKING:
    from rich.console import Console

    from scaling.study import Preset, Study


def show(study: Study, preset: Preset, console: Console) -> None:
    """Print a preset's runs: parameters by group, tokens, FLOPs, predicted seconds and memory; run nothing."""
    from rich.table import Table

    device = DEVICES[preset.device]
    specs = with_parents(preset.runs())
    if preset.specs is None:
        console.print(f"{study.name} · {preset.name}: {preset.note}; trains nothing")
        return
    table = Table(title=f"{study.name} · {preset.name}: {preset.note}", box=None, title_justify="left")
    for heading in ("run", "kind", "embedding", "attention", "mlp", "norm", "head", "tokens", "FLOPs"):
        table.add_column(heading, justify="left" if heading in ("run", "kind") else "right", no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("memory", justify="right", no_wrap=True)
    for spec in specs:
        table.add_row(*_row(spec, device))
    console.width = max(console.width, 120)  # a narrow terminal wraps the lines, the numbers stay whole
    console.print(table)
    seconds = sum(predicted_seconds(spec, device) for spec in specs)
    console.print(
        f"{len(specs)} runs, {quantity(sum(tokens_of(s) for s in specs))} tokens, "
        f"{quantity(sum(spec_flops(s) for s in specs))} FLOPs; about {duration(seconds)} of one "
        f"{device.name}, evaluation included ({device.source})"
    )


def _row(spec: Spec, device: Device) -> list[str]:
    counts = [""] * 5
    if not isinstance(spec, CountingSpec):
        counts = [quantity(count) for count in params_by_group(spec_model(spec)).values()]
    return [
        spec_id(spec)[:8],
        kind_of(spec),
        *counts,
        quantity(tokens_of(spec)),
        quantity(spec_flops(spec)),
        f"{predicted_seconds(spec, device):.1f}",
        f"{predicted_bytes(spec, device) / 2**20:.0f} MiB",
    ]
