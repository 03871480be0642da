"""What inference compute is worth in training compute: rates with intervals, from grids, slices and paired curves.

exchange_rate(frame)      a grid of training levels x inference budgets, with all that it takes to trust it
exchange_slices(a, b)     training varied at one budget, inference varied at one checkpoint
exchange_paired(frame)    two budgets of the same checkpoints
"""

from scaling.exchange.change_point import ChangePoint, change_point
from scaling.exchange.ledger import Ledger
from scaling.exchange.measure import exchange_rate
from scaling.exchange.paired import Paired, exchange_paired
from scaling.exchange.result import Constancy, Exchange, Rate
from scaling.exchange.slices import Slices, exchange_slices
from scaling.exchange.support import Span

__all__ = [
    "ChangePoint",
    "Constancy",
    "Exchange",
    "Ledger",
    "Paired",
    "Rate",
    "Slices",
    "Span",
    "change_point",
    "exchange_paired",
    "exchange_rate",
    "exchange_slices",
]
