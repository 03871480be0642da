"""What loss laws say of serving a model and of comparing recipes."""

import dataclasses

import numpy as np
import pytest
from scipy.optimize import brentq

from scaling.laws import Chinchilla, ChinchillaTied, LossInND, OverTraining, PNorm

LAWS = [
    Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367),
    ChinchillaTied(E=1.87, A=521.0, B=1488.0, alpha=0.353),
    OverTraining(E=1.84, a=212.0, b=367.0, g=0.136),
    PNorm(E=0.9, A=120.0, B=300.0, alpha=0.28, beta=0.31, p=2.2),
]
BY_LAW = pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)


@BY_LAW
def test_tokens_for_a_loss_give_that_loss(law: LossInND) -> None:
    N = np.geomspace(1e8, 1e10, 5)
    loss = law.predict(N=N, D=3e10)
    np.testing.assert_allclose(law.tokens_for(loss, N), 3e10, rtol=1e-9)
    assert np.isinf(law.tokens_for(law.predict(N=1e9, D=1e60), 1e8))  # no data make a small model that good


@BY_LAW
def test_compute_for_a_loss_is_the_frontiers_inverse(law: LossInND) -> None:
    C = np.geomspace(1e18, 1e24, 4)
    np.testing.assert_allclose(law.compute_for(law.optimum(C).loss), C, rtol=1e-8)
    assert np.isinf(law.compute_for(law.values()[0]))


@BY_LAW
def test_without_serving_the_optimum_is_the_trained_one(law: LossInND) -> None:
    best, served = law.optimum(1e21), law.served(1e21, 1.0)
    assert pytest.approx(best.N, rel=1e-4) == served.N
    assert served.saving == pytest.approx(0.0, abs=1e-8)


@BY_LAW
def test_the_served_model_is_the_cheapest_of_its_loss(law: LossInND) -> None:
    tokens = 2e12
    best, served = law.optimum(1e22), law.served(1e22, tokens)
    assert law.predict(N=served.N, D=served.D) == pytest.approx(float(best.loss), rel=1e-10)
    assert served.N < best.N
    assert served.tokens_per_param > best.tokens_per_param
    total = served.train_flops + served.infer_flops
    for factor in (0.97, 1.03):
        N = factor * served.N
        assert 6 * N * law.tokens_for(best.loss, N) + 2 * N * tokens > total
    assert served.saving == pytest.approx(1 - total / (1e22 + 2 * best.N * tokens))
    assert served.saving > 0


def test_more_serving_asks_for_a_smaller_model() -> None:
    N = LAWS[0].served(1e22, np.geomspace(1e9, 1e14, 6)).N
    assert np.all(np.diff(N) < 0)


SARDANA = Chinchilla(E=1.69, A=406.4, B=410.7, alpha=0.336, beta=0.283)


def test_a_published_case_of_serving() -> None:
    """Sardana et al. (arXiv:2401.00448v2), figure 1: for 2e12 tokens a 7B saves 17 %, 1.7e22 FLOPs, over a 13B."""
    C = brentq(lambda C: float(SARDANA.N_optimal(C)) - 13e9, 1e20, 1e25)
    served = SARDANA.served(C, 2e12)
    assert pytest.approx(7e9, abs=0.5e9) == served.N
    assert served.saving == pytest.approx(0.17, abs=0.005)
    assert served.saving * (C + 2 * 13e9 * 2e12) == pytest.approx(1.7e22, abs=0.05e22)


@pytest.mark.parametrize("tokens", [1e10, 2e12, 1e14])
def test_the_served_model_is_where_the_cost_has_no_slope(tokens: float) -> None:
    """6 N D + 2 N T along the D that keep the loss: d log D / d log N = -alpha A N^-alpha / (beta B D^-beta)."""
    law, C = SARDANA, float(SARDANA.compute_for(SARDANA.predict(N=70e9, D=1.4e12)))
    above = float(law.optimum(C).loss) - law.E

    def D(N: float) -> float:
        return float((law.B / (above - law.A * N**-law.alpha)) ** (1 / law.beta))

    def slope(log_N: float) -> float:
        N = np.exp(log_N)
        parameters, data = law.alpha * law.A * N**-law.alpha, law.beta * law.B * D(N) ** -law.beta
        return float(6 * D(N) * (1 - parameters / data) + 2 * tokens)

    smallest = (law.A / above) ** (1 / law.alpha)
    N = np.exp(brentq(slope, np.log(smallest) + 1e-3, np.log(law.optimum(C).N) + 1e-3, xtol=1e-14))
    served = law.served(C, tokens)
    assert pytest.approx(N, rel=1e-6) == served.N
    assert pytest.approx(D(N), rel=1e-6) == served.D
    saving = 1 - (6 * N * D(N) + 2 * N * tokens) / (C + 2 * float(law.optimum(C).N) * tokens)
    assert served.saving == pytest.approx(saving, abs=1e-9)


def test_a_recipe_that_needs_half_the_compute_has_multiplier_two() -> None:
    """A' = A 2^(alpha/2), B' = B 2^(beta/2): the law at (N, D) is the other one's at (N/sqrt 2, D/sqrt 2)."""
    a = LAWS[0]
    assert isinstance(a, Chinchilla)
    b = Chinchilla(E=a.E, A=a.A * 2 ** (a.alpha / 2), B=a.B * 2 ** (a.beta / 2), alpha=a.alpha, beta=a.beta)
    np.testing.assert_allclose(a.compute_multiplier(b, np.array([1e19, 1e22])), 2.0, rtol=1e-7)
    np.testing.assert_allclose(b.compute_multiplier(a, np.array([1e19, 1e22])), 0.5, rtol=1e-7)


def test_stacks_are_served_as_each_law() -> None:
    values = np.stack([LAWS[0].values(), 0.99 * LAWS[0].values()])
    stack = Chinchilla.from_values(values)
    each = [Chinchilla.from_values(row).served(1e21, 1e12).N for row in values]
    np.testing.assert_allclose(np.ravel(stack.served(1e21, 1e12).N), np.ravel(each), rtol=1e-6)


@pytest.mark.parametrize("n", [1.0, 1e9])
@pytest.mark.parametrize("d", [1.0, 1e12])
def test_units_of_size_and_tokens_change_the_units_of_answers_only(n: float, d: float) -> None:
    """Sizes in billions and tokens in trillions: D, N and C are then below 1."""
    law = Chinchilla(E=1.8, A=400.0, B=1500.0, alpha=0.34, beta=0.3)
    other = Chinchilla(E=1.8, A=300.0, B=1500.0, alpha=0.34, beta=0.3)
    in_units = [
        dataclasses.replace(one, A=one.A / n**one.alpha, B=one.B / d**one.beta) for one in (law, other)
    ]
    C, tokens = 1e20, 1e11
    plain, ours = law.served(C, tokens), in_units[0].served(C / (n * d), tokens / d)
    np.testing.assert_allclose(
        [ours.N * n, ours.D * d, ours.saving], [plain.N, plain.D, plain.saving], rtol=1e-6
    )
    worth = in_units[0].compute_multiplier(in_units[1], C / (n * d))
    np.testing.assert_allclose(worth, law.compute_multiplier(other, C), rtol=1e-9)
    np.testing.assert_allclose(in_units[0].tokens_for(2.5, 1e8 / n) * d, law.tokens_for(2.5, 1e8), rtol=1e-9)
