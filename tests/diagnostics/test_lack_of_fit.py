"""The F test: uniform p-values where the law holds, small ones where it does not."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from scaling.diagnostics import lack_of_fit
from scaling.errors import InputError
from scaling.fitting import fit
from scaling.laws import Chinchilla, Law, PNorm


def seeds(law: Law, seed: int, noise: float = 0.003, copies: int = 2) -> pd.DataFrame:
    """A grid of five sizes and five durations, each trained `copies` times."""
    N, D = (mesh.ravel() for mesh in np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5)))
    N, D = np.repeat(N, copies), np.repeat(D, copies)
    loss = law.predict(N=N, D=D) * np.exp(np.random.default_rng(seed).normal(0, noise, len(N)))
    return pd.DataFrame({"N": N, "D": D, "loss": loss})


def test_p_values_are_uniform_where_the_law_holds(chinchilla: Chinchilla) -> None:
    found = [
        lack_of_fit(fit("chinchilla", seeds(chinchilla, seed), loss="mse", bootstrap=0))
        for seed in range(300)
    ]
    assert {(f.freedom_fit, f.freedom_replicates) for f in found} == {(20, 25)}
    assert kstest([f.p_value for f in found], "uniform").pvalue > 0.01
    spread = np.mean([f.spread_replicates**2 for f in found]) ** 0.5
    assert spread == pytest.approx(0.003, rel=0.03)


def test_priors_are_no_part_of_the_test(chinchilla: Chinchilla) -> None:
    frame = seeds(chinchilla, 0)
    alone, guided = (fit("chinchilla", frame, bootstrap=0, priors=p) for p in (None, {"E": (1.5, 0.02)}))
    assert pytest.approx(lack_of_fit(alone).F, rel=1e-9) == lack_of_fit(guided).F


def test_a_wrong_form_is_found_out() -> None:
    truth = PNorm(E=0.9, A=120.0, B=300.0, alpha=0.28, beta=0.31, p=4.0)
    frame = seeds(truth, 0)
    additive, p_norm = (lack_of_fit(fit(law, frame, bootstrap=0)) for law in ("chinchilla", "p_norm"))
    assert additive.p_value < 1e-3 < p_norm.p_value
    assert additive.spread_fit > 2 * additive.spread_replicates
    assert "normal theory on log residuals" in additive.text


def test_the_loss_of_the_fit_does_not_matter(chinchilla: Chinchilla) -> None:
    frame = seeds(chinchilla, 1)
    one, two = (lack_of_fit(fit("chinchilla", frame, loss=loss, bootstrap=0)) for loss in ("huber", "mse"))
    assert one == two


def test_sums_of_squares_add_up(chinchilla: Chinchilla) -> None:
    frame = seeds(chinchilla, 2, copies=3)
    whole = fit("chinchilla", frame, loss="mse", bootstrap=0)
    found = lack_of_fit(whole)
    log_loss = np.log(frame["loss"])
    within = float(np.sum((log_loss - log_loss.groupby([frame["N"], frame["D"]]).transform("mean")) ** 2))
    assert found.spread_replicates == pytest.approx(np.sqrt(within / 50))
    total = found.spread_fit**2 * found.freedom_fit + found.spread_replicates**2 * found.freedom_replicates
    assert total == pytest.approx(whole.value)


def test_without_replicates_there_is_no_test(chinchilla: Chinchilla) -> None:
    assert lack_of_fit(fit("chinchilla", seeds(chinchilla, 0, copies=1), bootstrap=0)) is None
    grid = seeds(chinchilla, 0)
    few = grid.iloc[[0, 1, 8, 9, 24, 25, 40, 41, 48, 49]]
    assert lack_of_fit(fit("chinchilla", few, bootstrap=0)) is None, "as many cells as parameters"


def test_a_row_copied_to_the_last_digit_is_no_replicate(chinchilla: Chinchilla) -> None:
    frame = seeds(chinchilla, 0)
    once, twice = (lack_of_fit(fit("chinchilla", f, bootstrap=0)) for f in (frame, pd.concat([frame, frame])))
    assert twice.repeats == 50
    assert pytest.approx(once.F, rel=1e-9) == twice.F
    single = seeds(chinchilla, 0, copies=1)
    assert lack_of_fit(fit("chinchilla", pd.concat([single, single]), bootstrap=0)) is None


def test_a_score_is_refused() -> None:
    C = np.geomspace(1e18, 1e22, 20)
    frame = pd.DataFrame({"C": C, "score": 0.1 + 0.5 / (1 + (1e20 / C) ** 0.8)})
    with pytest.raises(InputError, match="predicts a score"):
        lack_of_fit(fit("sigmoid", frame, bootstrap=0))
