"""Tables that the tests of diagnostics share."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling.laws import Chinchilla, Law, PNorm, Power

TRUTHS: tuple[Law, ...] = (
    Power(E=1.7, A=400.0, alpha=0.34),
    Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367),
    PNorm(E=0.9, A=120.0, B=300.0, alpha=0.28, beta=0.31, p=2.2),
)


def make_table(law: Law, noise: float = 0.0, seed: int = 0, rows: int = 48) -> pd.DataFrame:
    """Rows at spread-out inputs with the law's loss, times lognormal noise."""
    rng = np.random.default_rng(seed)
    inputs = {name: np.exp(rng.uniform(np.log(1e6), np.log(1e10), rows)) for name in law.inputs}
    loss = law.predict(**inputs) * np.exp(rng.normal(0.0, noise, rows))
    return pd.DataFrame(inputs | {"loss": loss})


@pytest.fixture(scope="session")
def table() -> Callable[..., pd.DataFrame]:
    """A maker of rows: table(law, noise=0, seed=0, rows=48)."""
    return make_table


@pytest.fixture(scope="session")
def chinchilla() -> Chinchilla:
    """The law that most tests draw rows from."""
    return Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367)


@pytest.fixture(params=TRUTHS, ids=lambda law: law.name)
def truth(request: pytest.FixtureRequest) -> Law:
    """One fitted law of each kind."""
    law: Law = request.param
    return law


@pytest.fixture(scope="session")
def budgets(chinchilla: Chinchilla) -> pd.DataFrame:
    """Five sizes at each of six budgets, .4 % noise."""
    rng = np.random.default_rng(11)
    C = np.repeat(np.geomspace(1e17, 1e20, 6), 5)
    N = np.tile(np.geomspace(0.3, 3.0, 5), 6) * float(chinchilla.N_optimal(1e18)) * (C / 1e18) ** 0.5
    D = C / (6 * N)
    loss = chinchilla.predict(N=N, D=D) * np.exp(rng.normal(0, 0.004, len(C)))
    return pd.DataFrame({"N": N, "D": D, "C": C, "loss": loss})


@pytest.fixture(scope="session")
def epoch_245(mirror: Path) -> pd.DataFrame:
    """245 points of Hoffmann et al. 2022, figure 4, as extracted by Epoch."""
    raw = pd.read_csv(mirror / "epoch-research_analyzing-chinchilla" / "svg_extracted_data.csv")
    N = raw["Model Size"]
    return pd.DataFrame({"N": N, "D": raw["Training FLOP"] / (6 * N), "loss": raw["loss"]})


@pytest.fixture(scope="session")
def epoch_240(epoch_245: pd.DataFrame) -> pd.DataFrame:
    """The 240 points that the published replication fits: without the five highest losses."""
    return epoch_245.drop(epoch_245["loss"].nlargest(5).index)
