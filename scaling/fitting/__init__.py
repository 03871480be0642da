"""Table in, Fit out: laws fitted to rows, with intervals and doubts."""

from scaling.fitting.calibration import Calibration, calibrate
from scaling.fitting.chained import Chain, chain
from scaling.fitting.counts import CountsFit, fit_counts
from scaling.fitting.coverage import Coverage, coverage
from scaling.fitting.fitted import fit
from scaling.fitting.heldout import Holdout, holdout
from scaling.fitting.isoflop import fit_isoflop
from scaling.fitting.isoflop_result import BudgetFit, IsoflopFit
from scaling.fitting.objective import Objective
from scaling.fitting.parts import Estimate, Interval, Minimum, Prediction, Warned
from scaling.fitting.profile import FloorProfile
from scaling.fitting.result import Fit
from scaling.fitting.rows import Excluded
from scaling.fitting.sweep import SweepOptima, sweep_optima

__all__ = [
    "BudgetFit",
    "Calibration",
    "Chain",
    "CountsFit",
    "Coverage",
    "Estimate",
    "Excluded",
    "Fit",
    "FloorProfile",
    "Holdout",
    "Interval",
    "IsoflopFit",
    "Minimum",
    "Objective",
    "Prediction",
    "SweepOptima",
    "Warned",
    "calibrate",
    "chain",
    "coverage",
    "fit",
    "fit_counts",
    "fit_isoflop",
    "holdout",
    "sweep_optima",
]
