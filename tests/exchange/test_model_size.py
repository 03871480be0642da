"""Model size as inference: nil on the frontier, and what equal losses say."""

import numpy as np
import pandas as pd
import pytest

from scaling import fit
from scaling.errors import InputError
from scaling.exchange.model_size import size_rate
from scaling.laws import ALL, Chinchilla, ChinchillaTied, LossInND, OverTraining, PNorm, Power

LAWS = {
    one.name: one
    for one in (
        Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367),
        ChinchillaTied(E=1.87, A=521.0, B=1488.0, alpha=0.353),
        OverTraining(E=1.84, a=212.0, b=367.0, g=0.136),
        PNorm(E=0.9, A=120.0, B=300.0, alpha=0.28, beta=0.31, p=2.2),
    )
}
OF_ALL = pytest.mark.parametrize("name", [law.name for law in ALL if issubclass(law, LossInND)])


@OF_ALL
def test_the_rate_is_nil_on_the_frontier_and_only_there(name: str) -> None:
    best = LAWS[name].optimum(np.geomspace(1e16, 1e26, 11))
    np.testing.assert_allclose(size_rate(LAWS[name], best.N, best.D).eta, 0.0, atol=1e-6)
    small, large = (size_rate(LAWS[name], best.N * factor, best.D / factor).eta for factor in (0.5, 2.0))
    assert np.all(small > 0)
    assert np.all((large > -1) & (large < 0))


@OF_ALL
def test_the_rate_is_what_models_of_equal_loss_cost(name: str) -> None:
    """Central differences of log 6 N D along the tokens that keep the loss."""
    law = LAWS[name]
    N = np.geomspace(2e8, 5e9, 4)
    found = size_rate(law, N, 6e10)
    step = 1e-3
    tokens = [law.tokens_for(found.loss, N * np.exp(s)) for s in (-step, step)]
    train = (2 * step + np.log(tokens[1] / tokens[0])) / (2 * step)
    np.testing.assert_allclose(found.eta, -train, rtol=1e-4, atol=1e-6)


def test_the_additive_law_has_the_closed_form() -> None:
    law = LAWS["chinchilla"]
    assert isinstance(law, Chinchilla)
    N, D = np.meshgrid([1e8, 1e9, 1e10], [1e9, 1e11])
    closed = law.alpha * law.A * N**-law.alpha / (law.beta * law.B * D**-law.beta) - 1
    found = size_rate(law, N, D)
    np.testing.assert_allclose(found.eta, closed, rtol=1e-12)
    assert found.low is None
    assert [point["eta"] for point in found.to_json()["points"]] == found.eta.ravel().tolist()


def test_a_fit_gives_intervals_that_hold_the_truth_and_nil_at_its_optimum() -> None:
    rng = np.random.default_rng(0)
    N, D = np.exp(rng.uniform(np.log(1e7), np.log(1e10), (2, 60))) * np.array([[1.0], [30.0]])
    law = LAWS["chinchilla"]
    frame = pd.DataFrame({"N": N, "D": D, "loss": law.predict(N=N, D=D) * np.exp(rng.normal(0, 2e-3, 60))})
    found = fit("chinchilla", frame, bootstrap=200)
    C = 1e20
    best = found.law.optimum(C)  # type: ignore[attr-defined]
    at_best = size_rate(found, best.N, best.D)
    assert abs(float(at_best.eta)) < 1e-6
    assert at_best.low is not None
    assert at_best.high is not None
    assert at_best.low < 0 < at_best.high
    (told,) = size_rate(found, 1e8, 2e11).estimates()
    assert told.low is not None
    assert told.high is not None
    assert told.low < float(size_rate(law, 1e8, 2e11).eta) < told.high
    narrow = size_rate(found, 1e8, 2e11, level=0.5)
    assert narrow.low is not None
    assert told.low < narrow.low


def test_what_has_no_size_is_refused() -> None:
    with pytest.raises(InputError, match="power is no loss law in N and D; give one, such as chinchilla"):
        size_rate(Power(E=1.0, A=2.0, alpha=0.3), 1e9, 1e10)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="N is 0; give a positive number"):
        size_rate(LAWS["chinchilla"], 0.0, 1e10)
    with pytest.raises(InputError, match="give equal lengths or single numbers"):
        size_rate(LAWS["chinchilla"], [1e9, 1e10], [1.0, 2.0, 3.0])
