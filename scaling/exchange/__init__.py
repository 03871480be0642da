"""What inference compute is worth in training compute: rates with intervals, from grids, slices and paired curves.

exchange_rate(frame)      a grid of training levels x inference budgets, with all that it takes to trust it
exchange_slices(a, b)     training varied at one budget, inference varied at one checkpoint
exchange_paired(frame)    two budgets of the same checkpoints

From a rate: `purchase` and `break_even` say what to buy, `equivalences` what stands in for what, `sensitivity` what the
ledger decides, `envelope` which method is best at a cost, `calibrate` how often the interval holds the truth at this design,
`plan` how many seeds another width takes, `by_difficulty` what easy and hard problems say apart. `best_split` is about one
training budget: which share of it RL should have.
"""

from scaling.exchange.break_even import BreakEven, break_even, break_even_levels
from scaling.exchange.calibration import Coverage, calibrate
from scaling.exchange.change_point import ChangePoint, change_point
from scaling.exchange.coverage import extrapolate_coverage
from scaling.exchange.coverage_laws import backtest_coverage
from scaling.exchange.coverage_rates import coverage_rates
from scaling.exchange.difficulty import by_difficulty
from scaling.exchange.envelope import envelope
from scaling.exchange.equivalence import equivalences
from scaling.exchange.ledger import Ledger
from scaling.exchange.measure import exchange_rate
from scaling.exchange.model_size import size_rate
from scaling.exchange.paired import Paired, exchange_paired
from scaling.exchange.planning import Plan, plan
from scaling.exchange.purchase import Purchase, purchase
from scaling.exchange.result import Constancy, Exchange, Rate
from scaling.exchange.sensitivity import sensitivity
from scaling.exchange.slices import Slices, exchange_slices
from scaling.exchange.split import Split, Splits, best_split
from scaling.exchange.substitution import substitution
from scaling.exchange.support import Span

__all__ = [
    "BreakEven",
    "ChangePoint",
    "Constancy",
    "Coverage",
    "Exchange",
    "Ledger",
    "Paired",
    "Plan",
    "Purchase",
    "Rate",
    "Slices",
    "Span",
    "Split",
    "Splits",
    "backtest_coverage",
    "best_split",
    "break_even",
    "break_even_levels",
    "by_difficulty",
    "calibrate",
    "change_point",
    "coverage_rates",
    "envelope",
    "equivalences",
    "exchange_paired",
    "exchange_rate",
    "exchange_slices",
    "extrapolate_coverage",
    "plan",
    "purchase",
    "sensitivity",
    "size_rate",
    "substitution",
]
