"""The profile over the exponents: the fit is its lowest point, and every point is a fit of its own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f

from scaling.diagnostics import exponent_plane
from scaling.errors import InputError
from scaling.fitting import fit
from scaling.laws import Chinchilla, Law, Power

Table = Callable[..., pd.DataFrame]
LOSSES = [
    {"loss": "huber"},
    {"loss": "huber", "delta": 0.03, "residual": "raw"},
    {"loss": "mse"},
    {"loss": "lad"},
]


@pytest.mark.parametrize("options", LOSSES, ids=lambda o: "-".join(map(str, o.values())))
def test_the_fit_is_the_lowest_point(table: Table, truth: Law, options: dict[str, Any]) -> None:
    found = fit(type(truth), table(truth, noise=0.01), bootstrap=0, **options)
    plane = exponent_plane(found, points=9)
    assert plane.value.ndim == len(plane.names) == min(len(truth.inputs), 2)
    assert plane.value.min() == pytest.approx(found.value, rel=1e-9)
    assert np.all(plane.rise >= -1e-9)
    at = tuple(
        int(np.argmin(np.abs(axis - found.parameters[n].value)))
        for axis, n in zip(plane.axes, plane.names, strict=True)
    )
    np.testing.assert_allclose(plane.parameters[at], found.law.values(), rtol=1e-4)


@pytest.mark.parametrize("options", LOSSES[:3], ids=lambda o: "-".join(map(str, o.values())))
def test_every_point_is_the_fit_with_its_exponents_fixed(
    table: Table, truth: Law, options: dict[str, Any]
) -> None:
    frame = table(truth, noise=0.01, seed=1)
    plane = exponent_plane(fit(type(truth), frame, bootstrap=0, **options), points=7)
    rng = np.random.default_rng(0)
    for row in rng.choice(len(plane.frame), 5, replace=False):
        point = plane.frame.iloc[row]
        fixed = {name: float(point[name]) for name in plane.names}
        alone = fit(type(truth), frame, bootstrap=0, fix=fixed, **options)
        assert point["value"] == pytest.approx(alone.value, rel=1e-8)


def test_points_without_a_floor_are_found(table: Table) -> None:
    """Far below the true exponents the best floor is 0."""
    frame = table(Power(E=1.0, A=50.0, alpha=0.3), noise=0.01)
    found = fit("power", frame, loss="mse", bootstrap=0)
    plane = exponent_plane(found, spans={"alpha": (0.02, 0.6)}, points=12)
    assert plane.parameters[0, 0] == 0
    alone = fit("power", frame, loss="mse", bootstrap=0, fix={"alpha": 0.02})
    assert plane.value[0] == pytest.approx(alone.value, rel=1e-9)


def test_published_points_are_marked_with_what_they_cost(table: Table, chinchilla: Chinchilla) -> None:
    frame = table(chinchilla, noise=0.01)
    found = fit("chinchilla", frame, bootstrap=0)
    plane = exponent_plane(found, points=9, published={"elsewhere": {"alpha": 0.4, "beta": 0.3}})
    mark = plane.marks.set_index("mark").loc["elsewhere"]
    alone = fit("chinchilla", frame, bootstrap=0, fix={"alpha": 0.4, "beta": 0.3})
    assert mark["value"] == pytest.approx(alone.value, rel=1e-9)
    assert mark["rise"] == pytest.approx(alone.value / found.value - 1, rel=1e-6)
    fitted = plane.marks.iloc[0]
    assert (fitted["mark"], fitted["kind"], fitted["rise"]) == ("fit", "minimum", 0.0)
    low, high = plane.axes[0][[0, -1]]
    assert low < 0.4 < high


def test_level_sets_are_nested_and_hold_their_share_of_the_draws(
    table: Table, chinchilla: Chinchilla
) -> None:
    found = fit("chinchilla", table(chinchilla, noise=0.01), bootstrap=300)
    half, most = (exponent_plane(found, points=21, level=level) for level in (0.5, 0.95))
    assert 0 < half.threshold < most.threshold
    assert np.all(~half.frame["inside"] | most.frame["inside"])
    for name in ("alpha", "beta"):
        low, high = most.reach(name)
        inner = half.reach(name)
        assert low <= inner[0] <= found.parameters[name].value <= inner[1] <= high
        drawn = found.draws[:, found.law.position(name)]
        step = float(np.max(np.diff(most.axes[most.names.index(name)])))
        # a level set that holds 95 % of the draws holds 95 % of its shadow at least
        assert np.mean((drawn >= low - step) & (drawn <= high + step)) >= 0.95


def test_likelihood_ratio_set_of_least_squares_covers() -> None:
    truth = Power(E=1.7, A=400.0, alpha=0.34)
    hits = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        x = np.geomspace(1e6, 1e9, 40)
        frame = pd.DataFrame({"x": x, "loss": truth.predict(x=x) * np.exp(rng.normal(0, 0.01, 40))})
        found = fit("power", frame, loss="mse", bootstrap=0)
        plane = exponent_plane(
            found, points=3, spans={"alpha": (0.3, 0.4)}, level=0.9, published={"truth": {"alpha": 0.34}}
        )
        assert plane.threshold == pytest.approx(f.ppf(0.9, 1, 37) / 37)
        hits += bool(plane.marks["inside"].iloc[-1])
    assert 82 <= hits <= 97  # 90 expected, a standard deviation is 3


def test_what_cannot_be_profiled_is_refused(table: Table, chinchilla: Chinchilla) -> None:
    found = fit("chinchilla", table(chinchilla, noise=0.01), bootstrap=0)
    for names in (["E"], ["A", "beta"], ["alpha", "alpha"], [], ["gamma"]):
        with pytest.raises(InputError, match="one or two of alpha, beta"):
            exponent_plane(found, names)
    with pytest.raises(InputError, match="refit with bootstrap"):
        exponent_plane(found, points=3, level=0.95)
    with pytest.raises(InputError, match="published point"):
        exponent_plane(found, points=3, published={"half": {"alpha": 0.3}})
    with pytest.raises(InputError, match="span of alpha"):
        exponent_plane(found, points=3, spans={"alpha": (0.5, 0.4)})
    with pytest.raises(InputError, match="give a level"):
        exponent_plane(found, points=3).reach("alpha")


def test_a_fixed_exponent_leaves_a_line(table: Table, chinchilla: Chinchilla) -> None:
    found = fit("chinchilla", table(chinchilla, noise=0.01), bootstrap=0, fix={"alpha": 0.35})
    plane = exponent_plane(found, points=9)
    assert plane.names == ("beta",)
    assert np.all(plane.parameters[:, 3] == 0.35)
    assert plane.value.min() == pytest.approx(found.value, rel=1e-9)


@pytest.mark.target
def test_epoch_240_has_one_valley(epoch_240: pd.DataFrame) -> None:
    """The replication's optimum is the lowest point of the whole plane; Hoffmann's exponents lie far above it."""
    found = fit("chinchilla", epoch_240, bootstrap=200)
    hoffmann = {"Hoffmann 2022": {"alpha": 0.3392, "beta": 0.2849}}
    plane = exponent_plane(
        found, spans={"alpha": (0.05, 1.0), "beta": (0.05, 1.0)}, published=hoffmann, level=0.95
    )
    assert plane.value.min() == pytest.approx(0.001018274017800599, rel=1e-9)
    mark = plane.marks.set_index("mark").loc["Hoffmann 2022"]
    assert not mark["inside"]
