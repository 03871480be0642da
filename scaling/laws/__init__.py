"""The shelf of laws: one file is one law; a new law is a file here and a name in `ALL`."""

from scaling.errors import InputError
from scaling.laws.base import Law
from scaling.laws.batch_size import BatchSize
from scaling.laws.beta_binomial import BetaBinomial
from scaling.laws.broken_power import BrokenPower1, BrokenPower2, BrokenPower3
from scaling.laws.chinchilla import Chinchilla
from scaling.laws.chinchilla_tied import ChinchillaTied
from scaling.laws.coverage import Coverage
from scaling.laws.exponential_link import ExponentialLink
from scaling.laws.frontier import FLOPS_PER_PARAMETER_TOKEN, LossInND, Optimum
from scaling.laws.isoflop import IsoflopCurve, OptimalSize
from scaling.laws.learning_rate import LearningRate
from scaling.laws.logistic_link import LogisticLink
from scaling.laws.over_training import OverTraining
from scaling.laws.p_norm import PNorm
from scaling.laws.parameters import Parameter, Term
from scaling.laws.power import Power
from scaling.laws.repeated_data import RepeatedData
from scaling.laws.separable import SeparableLaw
from scaling.laws.sigmoid import Sigmoid
from scaling.laws.train_samples import TrainSamples

ALL: tuple[type[Law], ...] = (
    Power,
    Chinchilla,
    ChinchillaTied,
    PNorm,
    OverTraining,
    RepeatedData,
    BrokenPower1,
    BrokenPower2,
    BrokenPower3,
    TrainSamples,
    Sigmoid,
    ExponentialLink,
    LogisticLink,
    Coverage,
    BetaBinomial,
    LearningRate,
    BatchSize,
)


def find(name: str) -> type[Law]:
    """The law with this name; InputError names the known ones."""
    for law in ALL:
        if law.name == name:
            return law
    raise InputError(f"no law is called {name!r}; known laws: {', '.join(law.name for law in ALL)}")


__all__ = [
    "ALL",
    "FLOPS_PER_PARAMETER_TOKEN",
    "BatchSize",
    "BetaBinomial",
    "BrokenPower1",
    "BrokenPower2",
    "BrokenPower3",
    "Chinchilla",
    "ChinchillaTied",
    "Coverage",
    "ExponentialLink",
    "IsoflopCurve",
    "Law",
    "LearningRate",
    "LogisticLink",
    "LossInND",
    "OptimalSize",
    "Optimum",
    "OverTraining",
    "PNorm",
    "Parameter",
    "Power",
    "RepeatedData",
    "SeparableLaw",
    "Sigmoid",
    "Term",
    "TrainSamples",
    "find",
]
