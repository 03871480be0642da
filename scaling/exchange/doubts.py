"""What misleads in an exchange rate, detected and said: each doubt is one function, by subject in four files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaling.exchange import doubts_of_curves, doubts_of_design, doubts_of_falls, doubts_of_samples
from scaling.exchange.doubts_of_curves import length_grows, stuck
from scaling.exchange.evidence import Evidence
from scaling.fitting.parts import Warned

if TYPE_CHECKING:
    import pandas as pd

    from scaling.exchange.paired import Paired
    from scaling.exchange.result import Exchange

__all__ = ["ALL", "doubts", "doubts_of_pairs", "length_grows", "stuck"]

ALL = (*doubts_of_samples.ALL, *doubts_of_falls.ALL, *doubts_of_curves.ALL, *doubts_of_design.ALL)


def doubts(found: Exchange, frame: pd.DataFrame) -> tuple[Warned, ...]:
    """Everything that a reader of the rates of a grid must know; `frame` is the table as the user gave it."""
    evidence = Evidence.of(found, frame)
    return tuple(warned for doubt in ALL for warned in doubt(evidence))


def doubts_of_pairs(found: Paired, frame: pd.DataFrame) -> tuple[Warned, ...]:
    """What the rows of two curves of the same checkpoints show that a reader must know."""
    evidence = Evidence.of(found, frame)
    of_rows = (*doubts_of_samples.ALL, *doubts_of_falls.ALL, *doubts_of_design.ALL)
    return tuple(warned for doubt in of_rows for warned in doubt(evidence))
