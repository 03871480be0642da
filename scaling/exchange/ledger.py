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
        return "; ".join(word for word in self.words().values() if word)

    def words(self) -> dict[str, str]:
        """Each choice in words; empty where its currency leaves none open."""
        shown = {"flops": ("train", "verifier", "prefill"), "critical_tokens": ("train",)}.get(
            self.currency, ()
        )
        return {
            name: WORDS[name][getattr(self, name)] if name in (*shown, "currency") else "" for name in WORDS
        }

    def said(self, frame: pd.DataFrame) -> str:
        """Its choices in words, of a table: of a whole that no columns part, what is in it stays open."""
        words = self.words()
        if self.currency == "flops" and INFER in frame:
            untold = {"prefill": PARTS[0] not in frame, "verifier": PARTS[2] not in frame}
            words |= {name: "" for name, lacks in untold.items() if lacks}
            if untold["verifier"]:
                words["currency"] += f" as {INFER} counts them"
        return "; ".join(word for word in words.values() if word)

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

    def inference(self, frame: pd.DataFrame, samples: Array | None = None) -> Array:
        """Inference compute of each row, (n,).

        With `samples` (n,) the columns count one sample, and a row takes so many. Without, they count all that a row's score
        took, the prefill once; a prefill for each sample then goes by the column k. Raises InputError where a column that it
        needs is missing.
        """
        if self.currency == "flops" and self.verifier == "out":
            _column(frame, PARTS[2], "inference without the verifier")
        if self.currency == "flops" and self.prefill == "repeated":
            _column(frame, PARTS[0], "a prefill for each sample")
        if samples is None:
            samples = np.ones(len(frame))
            prefills = (
                _column(frame, "k", "a prefill for each sample") if self.prefill == "repeated" else samples
            )
        else:
            prefills = samples if self.prefill == "repeated" else np.ones(len(frame))
        if self.currency == "device_seconds":
            return samples * _column(frame, SECONDS, "inference in device seconds")
        if self.currency == "critical_tokens":
            return _column(frame, TOKENS, "tokens one after the other")
        prefill, decode, verifier = self._parts(frame)
        return prefill * prefills + samples * (decode + (verifier if self.verifier == "in" else 0.0))

    def _parts(self, frame: pd.DataFrame) -> tuple[Array, Array, Array]:
        """Prefill, decode and verifier, (n,) each; what the whole has beyond the parts that are told counts as decode.

        Where the whole and the decode are told, and the prefill is not, the rest is prefill.
        """
        prefill, decode, verifier = (number_column(frame, name) if name in frame else None for name in PARTS)
        zero = np.zeros(len(frame))
        verifier = zero if verifier is None else verifier
        if INFER not in frame and decode is not None:
            return zero if prefill is None else prefill, decode, verifier
        whole = _column(frame, INFER, "inference compute a problem")
        told = zero if decode is None else decode
        parts = told + verifier + (zero if prefill is None else prefill)
        short = (parts > 0) & (whole - parts < -ROUNDING * parts)
        if short.any():
            at = int(np.argmax(short))
            raise InputError(
                f"row {frame.index[at]}: {INFER} is {whole[at]:g}, less than its parts' {parts[at]:g}; it counts all of them"
            )
        if prefill is None:
            prefill = zero if decode is None else whole - parts
        return prefill, whole - prefill - verifier, verifier


def possible(frame: pd.DataFrame, together: bool = True) -> Iterator[Ledger]:
    """Every convention that the columns of a table tell apart, whose samples are put `together` or are finished scores."""
    train: tuple[Train, ...] = ("stage", "total") if BEFORE in frame else ("stage",)
    verifier: tuple[Verifier, ...] = ("in", "out") if PARTS[2] in frame else ("in",)
    several = together or "k" in frame
    prefill: tuple[Prefill, ...] = ("shared", "repeated") if PARTS[0] in frame and several else ("shared",)
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
