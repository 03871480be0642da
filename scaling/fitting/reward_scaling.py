"""From records to the answer of ``rl_scaling``: growth of every size, compute to reach scores, and who is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scaling.fitting.parts import Estimate
from scaling.fitting.reaching import Counted, by_size, exponent, reached
from scaling.fitting.rewards import CUTS, DRAWS, Growth, growth
from scaling.records.rewarded import rewarded

if TYPE_CHECKING:
    import pandas as pd

    from scaling.records.tables import Records


@dataclass(frozen=True)
class RewardScaling:
    """Reward against RL compute at several sizes."""

    rows: pd.DataFrame
    """Scored checkpoints of the runs in use, as ``rewarded`` returns them."""
    left_out: tuple[tuple[str, str], ...]
    """(run in words, reason) of the other runs."""
    sizes: tuple[Growth, ...]
    """One a width, the smallest first."""
    reached: pd.DataFrame
    """Compute to reach each score, a row a run and score."""

    def by_size(self) -> pd.DataFrame:
        """Return compute to reach each score by size."""
        return by_size(self.reached)

    def exponents(self, counted: Counted = "C") -> dict[float, Estimate | str]:
        """Return g in C ~ N^g at each score, or why there is none."""
        scores = self.reached["asked"].drop_duplicates().tolist()
        return {asked: exponent(self.reached, asked, counted) for asked in scores}

    def to_json(self) -> dict[str, Any]:
        """All numbers, for programs."""
        counted: tuple[Counted, ...] = ("C", "total")
        needed = self.by_size().astype(object)
        return {
            "sizes": [one.to_json() for one in self.sizes],
            "left_out": [list(pair) for pair in self.left_out],
            "compute_to_reach": needed.where(needed.notna(), None).to_dict("records"),
            "size_exponents": {
                name: {
                    f"{asked:g}": g if isinstance(g, str) else g.to_json()
                    for asked, g in self.exponents(name).items()
                }
                for name in counted
            },
        }


def reward_scaling(
    rows: pd.DataFrame,
    scores: Sequence[float],
    *,
    left_out: Sequence[tuple[str, str]] = (),
    cuts: Sequence[float] = CUTS,
    bootstrap: int = DRAWS,
) -> RewardScaling:
    """Return the answer from the rows of ``rewarded``; ``scores`` are those whose compute is asked for."""
    sizes = tuple(
        growth(part.reset_index(drop=True), cuts=cuts, bootstrap=bootstrap)
        for _, part in rows.groupby("width")
    )
    return RewardScaling(rows, tuple(left_out), sizes, reached(rows, scores))


def of_records(records: Records, difficulty: int, scores: Sequence[float], **options: Any) -> RewardScaling:
    """Return the answer from records; ``options`` are those of ``reward_scaling``."""
    rows, left_out = rewarded(records, difficulty)
    return reward_scaling(rows, scores, left_out=left_out, **options)
