"""What is counted as training and as inference compute: conventions as switches, each a different number.

Training: this stage alone, or with what came before it. Inference: with or without the verifier's calls; a prompt's prefill
once for all samples of a problem, or once for each. The currency: FLOPs, tokens one after the other (what a user waits for)
or seconds of a device (what is billed).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import product
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from scaling.errors import InputError
from scaling.fitting.rows import number_column

if TYPE_CHECKING:
    import pandas as pd

    from scaling.laws.base import Array

Train = Literal["stage", "total"]
Verifier = Literal["in", "out"]
Prefill = Literal["shared", "repeated"]
Currency = Literal["flops", "critical_tokens", "device_seconds"]

TRAIN, BEFORE, TRAIN_SECONDS = "train_flops", "pretrain_flops", "train_device_seconds"
INFER = "infer_flops_per_problem"
PARTS = tuple(f"infer_flops_{part}_per_problem" for part in ("prefill", "decode", "verifier"))
ROUNDING = 1e-9
"""Part of the compute of prefill and verifier that may be rounding."""
TOKENS, SECONDS = "tokens", "device_seconds_per_problem"

WORDS = {
    "train": {"stage": "this stage alone", "total": "with all training before it"},
    "verifier": {"in": "verifier counted", "out": "verifier not counted"},
    "prefill": {"shared": "one prefill for all samples", "repeated": "a prefill for each sample"},
    "currency": {
        "flops": "FLOPs",
        "critical_tokens": "tokens one after the other",
        "device_seconds": "device seconds",
    },
}
"""What each choice says, in words."""


@dataclass(frozen=True)
class Ledger:
    """One convention."""

    train: Train = "stage"
    """`stage`: the column train_flops; `total`: with pretrain_flops."""
    verifier: Verifier = "in"
    """Whether the verifier's calls are part of inference."""
    prefill: Prefill = "shared"
    """Whether samples of one problem share the prompt's prefill."""
    currency: Currency = "flops"
    """What is counted."""

    def __post_init__(self) -> None:
        kinds = {"train": Train, "verifier": Verifier, "prefill": Prefill, "currency": Currency}
        for name, kind in kinds.items():
            if getattr(self, name) not in get_args(kind):
                raise InputError(
                    f"ledger's {name} is {getattr(self, name)!r}; give {' or '.join(get_args(kind))}"
                )

        other = {
            "critical_tokens": ("verifier", "prefill"),
            "device_seconds": ("train", "verifier", "prefill"),
        }
        for name in other.get(self.currency, ()):
            if getattr(self, name) != Ledger.__dataclass_fields__[name].default:
                raise InputError(
                    f"{name} {getattr(self, name)!r} is about FLOPs, and {WORDS['currency'][self.currency]} are "
                    "counted; leave it out"
                )

    def __str__(self) -> str:
        """Its choices in words, those that its currency leaves open."""
        shown = {"flops": ("train", "verifier", "prefill"), "critical_tokens": ("train",)}.get(
            self.currency, ()
        )
        return "; ".join(WORDS[name][getattr(self, name)] for name in (*shown, "currency"))

    def to_json(self) -> dict[str, str]:
        """Its choices."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def training(self, frame: pd.DataFrame) -> Array:
        """Training compute of each row, (n,).

        Raises InputError where a column that it needs is missing.
        """
        if self.currency == "device_seconds":
            return _column(frame, TRAIN_SECONDS, "train in device seconds")
        stage = _column(frame, TRAIN, "training compute")
        if self.train == "stage":
            return stage
        return stage + _column(frame, BEFORE, "training compute before this stage")

    def inference(self, frame: pd.DataFrame, samples: Array) -> Array:
        """Inference compute of each row, (n,), whose own columns count one sample, when it takes `samples` (n,).

        Raises InputError where a column that it needs is missing.
        """
        if self.currency == "device_seconds":
            return samples * _column(frame, SECONDS, "inference in device seconds")
        if self.currency == "critical_tokens":
            return _column(frame, TOKENS, "tokens one after the other")
        prefill, decode, verifier = self._parts(frame)
        times = samples if self.prefill == "repeated" else 1.0
        return prefill * times + samples * (decode + (verifier if self.verifier == "in" else 0.0))

    def _parts(self, frame: pd.DataFrame) -> tuple[Array, Array, Array]:
        """Prefill, decode and verifier of one sample, (n,) each; a part without a column is 0, or in the whole."""
        known = [number_column(frame, name) if name in frame else None for name in PARTS]
        zero = np.zeros(len(frame))
        prefill, decode, verifier = (zero if part is None else part for part in known)
        if known[1] is None:
            whole, parts = _column(frame, INFER, "inference compute a problem"), prefill + verifier
            decode = whole - parts
            short = (parts > 0) & (decode < -ROUNDING * parts)
            if short.any():
                at = int(np.argmax(short))
                raise InputError(
                    f"row {frame.index[at]}: {INFER} is less than its prefill and verifier; it counts all of them"
                )
        return prefill, decode, verifier


def possible(frame: pd.DataFrame) -> Iterator[Ledger]:
    """Every convention that the columns of a table tell apart."""
    train: tuple[Train, ...] = ("stage", "total") if BEFORE in frame else ("stage",)
    verifier: tuple[Verifier, ...] = ("in", "out") if PARTS[2] in frame else ("in",)
    prefill: tuple[Prefill, ...] = ("shared", "repeated") if PARTS[0] in frame else ("shared",)
    for one in product(train, verifier, prefill):
        yield Ledger(*one)
    if TOKENS in frame:
        for choice in train:
            yield Ledger(train=choice, currency="critical_tokens")
    if SECONDS in frame and TRAIN_SECONDS in frame:
        yield Ledger(currency="device_seconds")


def _column(frame: pd.DataFrame, name: str, what: str) -> Array:
    if name not in frame:
        raise InputError(f"{what} needs a column {name}, and the table has none; give --map {name}=EXPR")
    return number_column(frame, name)
