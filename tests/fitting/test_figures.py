"""`fit.plot`, `fit.interval` and the other conveniences of a fit in Python."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

from scaling.errors import InputError
from scaling.fitting import fit
from scaling.laws import Chinchilla, Power

matplotlib.use("agg")
LAW = Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367)


def rows_of(n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    N, D = np.exp(rng.uniform(np.log(1e6), np.log(1e10), (2, n)))
    return pd.DataFrame({"N": N, "D": D, "loss": LAW.predict(N=N, D=D) * np.exp(rng.normal(0, 0.01, n))})


def test_every_plot_draws_its_numbers_on_the_axes_given() -> None:
    found = fit("chinchilla", rows_of(), bootstrap=60)
    for name in ("data", "residuals", "surface", "extrapolation", "draws"):
        axes = pyplot.subplots()[1]
        assert getattr(found.plot, name)(ax=axes) is axes
        assert axes.get_lines() or axes.collections
        pyplot.close(axes.figure)
    axes = found.plot.residuals("D")
    drawn = np.concatenate([line.get_ydata() for line in axes.get_lines() if line.get_linestyle() == "None"])
    np.testing.assert_allclose(np.sort(drawn), np.sort(100 * found.residuals))
    pyplot.close("all")


@pytest.mark.parametrize("draws", [2, 3])
def test_a_cloud_of_few_draws_shows_them(draws: int) -> None:
    found = fit("chinchilla", rows_of(), bootstrap=draws)
    axes = pyplot.subplots()[1]
    found.plot.draws(ax=axes)
    assert sum(len(line.get_xdata()) for line in axes.get_lines()) >= draws - 1
    pyplot.close("all")


def test_a_coefficient_that_spans_much_has_a_log_axis() -> None:
    found = fit("chinchilla", rows_of(12), bootstrap=60)
    axes = found.plot.draws("A", "alpha")
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    pyplot.close("all")


def test_plots_that_a_law_does_not_have_say_so() -> None:
    frame = pd.DataFrame({"x": np.geomspace(1, 1e3, 12)})
    found = fit("power", frame.assign(loss=Power(E=1.0, A=4.0, alpha=0.4).predict(x=frame["x"])), bootstrap=0)
    with pytest.raises(InputError, match="no loss law in N and D"):
        found.plot.surface()
    with pytest.raises(InputError, match="made of bootstrap draws"):
        found.plot.draws()
    with pytest.raises(InputError, match="has no input 'N'; choose one of x"):
        found.plot.residuals("N")
    with pytest.raises(InputError, match="has no best N and D"):
        found.optimum(1e20)


def test_an_interval_of_another_method_or_level_is_that_of_another_fit() -> None:
    frame = rows_of()
    found = fit("chinchilla", frame, bootstrap=200)
    assert found.interval("alpha") == found.parameters["alpha"]
    assert found.interval("N_exponent") == found.derived["N_exponent"]
    assert (
        found.interval("alpha", method="bca")
        == fit("chinchilla", frame, bootstrap=200, interval="bca").parameters["alpha"]
    )
    half = found.interval("beta", level=0.5)
    assert half == fit("chinchilla", frame, bootstrap=200, level=0.5).parameters["beta"]
    with pytest.raises(InputError, match="this fit has no 'gamma'; it has E, A"):
        found.interval("gamma")
