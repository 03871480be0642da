"""A link chained after a loss law: its value, its intervals, and what is refused."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import scaling
from scaling.errors import InputError
from scaling.laws import Chinchilla, ExponentialLink

Table = Callable[..., pd.DataFrame]
LINK = ExponentialLink(chance=0.25, K=3.0, gamma=1.2)


def scored(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    loss = rng.uniform(1.9, 4.0, rows)
    return pd.DataFrame({"loss": loss, "score": LINK.predict(loss=loss) + rng.normal(0, 0.01, rows)})


def test_a_chain_is_the_link_of_the_loss(table: Table, chinchilla: Chinchilla) -> None:
    loss = scaling.fit("chinchilla", table(chinchilla), bootstrap=0, loss="mse")
    exact = scored(30, 0).assign(score=lambda t: LINK.predict(loss=t["loss"]))
    link = scaling.fit("exponential_link", exact, bootstrap=0, loss="mse")
    N, D = np.array([1e8, 1e9])[:, None], np.array([1e10, 1e11, 1e12])
    found = scaling.chain(loss, link).predict(N=N, D=D)
    np.testing.assert_allclose(found.value, LINK.predict(loss=chinchilla.predict(N=N, D=D)), rtol=1e-6)
    assert found.value.shape == (2, 3)
    assert found.low is None


def test_intervals_hold_the_truth_and_the_doubts_of_both(table: Table, chinchilla: Chinchilla) -> None:
    """60 pairs of tables, so that 95 % means 89 to 100; either fit alone knows more than both chained."""
    at = {"N": 3e9, "D": 6e10}
    truth = float(LINK.predict(loss=chinchilla.predict(**at)))
    held, wider = [], []
    for seed in range(60):
        loss = scaling.fit("chinchilla", table(chinchilla, noise=0.01, seed=seed), bootstrap=100)
        link = scaling.fit("exponential_link", scored(40, 1000 + seed), bootstrap=100)
        both = scaling.chain(loss, link).predict(**at)
        alone = link.predict(loss=loss.predict(**at).value)
        assert both.low is not None
        assert both.high is not None
        assert alone.low is not None
        assert alone.high is not None
        held.append(both.low <= truth <= both.high)
        wider.append(both.high - both.low > alone.high - alone.low)
    assert np.mean(held) >= 0.89
    assert np.mean(wider) > 0.9


def test_what_cannot_be_chained_is_refused(table: Table, chinchilla: Chinchilla) -> None:
    loss = scaling.fit("chinchilla", table(chinchilla), bootstrap=0)
    link = scaling.fit("exponential_link", scored(30, 0), bootstrap=0)
    with pytest.raises(InputError, match="exponential_link gives a score; give the fit of a loss law first"):
        scaling.chain(link, link)
    with pytest.raises(
        InputError, match="chinchilla takes N, D; give the fit of a link from loss to score second"
    ):
        scaling.chain(loss, loss)
    with pytest.raises(InputError, match="predicts from N, D, not from N"):
        scaling.chain(loss, link).predict(N=1e9)
    with pytest.raises(InputError, match="level is 95"):
        scaling.chain(loss, link).predict(N=1e9, D=1e10, level=95)
