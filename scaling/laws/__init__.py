"""The shelf of laws: one file is one law; a new law is a file here and a name in `ALL`."""

from scaling.errors import InputError
from scaling.laws.base import Law, Parameter, SeparableLaw, Term
from scaling.laws.chinchilla import Chinchilla
from scaling.laws.frontier import FLOPS_PER_PARAMETER_TOKEN, LossInND, Optimum
from scaling.laws.isoflop import OptimalSize, Parabola
from scaling.laws.p_norm import PNorm
from scaling.laws.power import Power

ALL: tuple[type[Law], ...] = (Power, Chinchilla, PNorm)


def find(name: str) -> type[Law]:
    """The law with this name; InputError names the known ones."""
    for law in ALL:
        if law.name == name:
            return law
    raise InputError(f"no law is called {name!r}; known laws: {', '.join(law.name for law in ALL)}")


__all__ = [
    "ALL",
    "FLOPS_PER_PARAMETER_TOKEN",
    "Chinchilla",
    "Law",
    "LossInND",
    "OptimalSize",
    "Optimum",
    "PNorm",
    "Parabola",
    "Parameter",
    "Power",
    "SeparableLaw",
    "Term",
    "find",
]
