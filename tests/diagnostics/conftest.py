"""A table that the tests of diagnostics share."""

import numpy as np
import pandas as pd
import pytest

from scaling.laws import Chinchilla


@pytest.fixture(scope="session")
def budgets(chinchilla: Chinchilla) -> pd.DataFrame:
    """Five sizes at each of six budgets, .4 % noise."""
    rng = np.random.default_rng(11)
    C = np.repeat(np.geomspace(1e17, 1e20, 6), 5)
    N = np.tile(np.geomspace(0.3, 3.0, 5), 6) * float(chinchilla.N_optimal(1e18)) * (C / 1e18) ** 0.5
    D = C / (6 * N)
    loss = chinchilla.predict(N=N, D=D) * np.exp(rng.normal(0, 0.004, len(C)))
    return pd.DataFrame({"N": N, "D": D, "C": C, "loss": loss})
