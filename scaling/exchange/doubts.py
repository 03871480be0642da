"""What misleads in an exchange rate, detected and said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaling.fitting.parts import Warned

if TYPE_CHECKING:
    import pandas as pd

    from scaling.exchange.result import Exchange
    from scaling.laws.base import Array


def doubts(found: Exchange, frame: pd.DataFrame) -> tuple[Warned, ...]:
    """Everything that a reader of the rates of a grid must know."""
    return ()


def length_grows(u: Array, v: Array) -> list[Warned]:
    """Whether one sample costs more and more along the training axis: log10 costs `v` (n,) at `u` (n,)."""
    return []


def stuck(much: Array, little: Array) -> list[Warned]:
    """Whether the curve with much inference stands still while the one with little still rises, (n,) each."""
    return []
