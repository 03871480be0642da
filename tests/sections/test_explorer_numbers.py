"""What the page computes, against the same quantities by numpy and scipy, from the same coefficients."""

import json
import math

import numpy as np
import pytest
from explorer_case import (
    FREE,
    LATENCY,
    ORIGIN,
    SURFACES,
    Bent,
    coefficients,
    edges,
    inverse,
    isoquant,
    make_data,
    predictor,
    rate,
    score,
    supported,
    x_of,
)
from scipy import optimize


def call(page, function: str, *arguments: object):
    return page(f"exchange.{function}(...{json.dumps(arguments)})")


SCENES = [(index, y) for index, y in enumerate((0.5, 0.4, 0.6, 0.2, 0.55, 0.5))]
SCENES += [(0, 0.7), (3, 0.3), (4, 0.3), (5, 0.3), (5, 0.75)]


@pytest.mark.parametrize(("index", "y"), SCENES)
def test_the_pages_isoquant_has_the_score_and_its_span_and_rate_are_numpys(page, index, y):
    surface = make_data()["surfaces"][index]
    found = call(page, "span", surface, y)
    low, high, g = edges(surface, y)
    assert found["pieces"] == [pytest.approx([low, high], abs=1e-6)]
    assert found["rate"] == pytest.approx(rate(surface, y), abs=1e-6)
    method, _, _, link, floor, ceiling, b, *_ = SURFACES[index]
    for v in np.linspace(low, high, 5):
        u = call(page, "isoquant", surface, g, v)
        assert score(link, floor, ceiling, b, u, v) == pytest.approx(y, abs=1e-12), method
        assert call(page, "predict", surface, u, v) == pytest.approx(y, abs=1e-12)
        numeric = (isoquant(b, g, v - 1e-5) - isoquant(b, g, v + 1e-5)) / 2e-5
        assert call(page, "localRate", surface, g, v) == pytest.approx(numeric, abs=1e-6)


@pytest.mark.parametrize("volume", [1e3, 1e7, 1e8, 1e9, 1e13])
@pytest.mark.parametrize(("index", "y"), SCENES)
def test_the_pages_optimum_is_the_cheapest_point_of_the_supported_isoquant(page, index, y, volume):
    surface = make_data()["surfaces"][index]
    low, high, g = edges(surface, y)
    found = call(page, "optimum", surface, y, volume, 2.0)
    expect_cheapest(found, coefficients(surface), g, low, high, 2.0 * volume)


def expect_cheapest(found, b, g, low, high, ratio):
    cost = lambda v: np.log10(10 ** isoquant(b, g, v) + ratio * 10**v)  # noqa: E731
    v = np.linspace(low, high, 20_001)
    at = int(np.argmin(cost(v)))
    around = (v[max(at - 1, 0)], v[min(at + 1, len(v) - 1)])
    best = optimize.minimize_scalar(cost, bounds=around, method="bounded", options={"xatol": 1e-12})
    knots = np.array(b.knots if isinstance(b, Bent) else ()) + ORIGIN[1]
    bent = [cost(knot) for knot in knots if low < knot < high]
    least = min(best.fun, cost(low), cost(high), *bent)
    assert math.log10(found["cost"]) == pytest.approx(least, abs=1e-9)
    assert (found["kind"] == "interior") == (0 < at < len(v) - 1)
    if found["beside"]:  # at a knot the spends' ratio is between the two rates, and no root
        knots = np.array(b.knots) + ORIGIN[1]
        assert np.abs(knots - found["v"]).min() < 3e-9
        ratio_spent = found["inference"] / found["training"]
        assert found["beside"][0] >= ratio_spent >= found["beside"][1]
        for side, eta in zip((-1, 1), found["beside"], strict=True):
            near, far = (found["v"] + side * step for step in (2e-9, 1e-6))
            assert eta == pytest.approx(side * (isoquant(b, g, near) - isoquant(b, g, far)) / 1e-6, rel=1e-2)
        assert found["share"] == pytest.approx(found["training"] / found["cost"], abs=1e-12)
        assert found["share"] == pytest.approx(1 / (1 + ratio_spent), abs=1e-9)
    elif found["kind"] == "interior":
        eta = lambda v: (isoquant(b, g, v - 1e-6) - isoquant(b, g, v + 1e-6)) / 2e-6  # noqa: E731
        turn = lambda v: ratio * 10**v / 10 ** isoquant(b, g, v) - eta(v)  # noqa: E731
        assert found["v"] == pytest.approx(optimize.brentq(turn, *around), abs=1e-6)
        assert found["share"] == pytest.approx(1 / (1 + found["eta"]), abs=1e-9)


def test_on_bent_surfaces_the_condition_tells_interior_optima_from_corners(page):
    noise, kinds = np.random.default_rng(4), []
    for trial in range(80):
        bu, bv, buv = noise.uniform(0.02, 1.0), noise.uniform(-0.1, 1.0), noise.uniform(-0.5, 0.3)
        volume = 10 ** noise.uniform(-3, 3)
        if trial % 2:  # so bent that the balanced split can be the dearest
            bu, bv, buv, volume = noise.uniform(0.2, 0.4), 0.02, -0.4, 10 ** noise.uniform(-1.2, -0.4)
        b = [-bu * 2 - bv * 2 + buv * 4, bu - 2 * buv, bv - 2 * buv, buv]
        surface = make_data(0)["surfaces"][4] | predictor(b, (2.0, 2.0), (-2.0, 2.0))
        surface |= {"support": {"u": [0.0, 4.0], "v": [0.0, 4.0]}}
        surface |= {"latency": None, "link": "logit", "floor": 0.0, "ceiling": 1.0}
        _, v, g = supported(surface, 0.5)
        found = call(page, "optimum", surface, 0.5, volume, 1.0)
        assert call(page, "pieces", surface, 0.5) == [pytest.approx([v[0], v[-1]], abs=3e-5)]
        low, high = call(page, "pieces", surface, 0.5)[0]
        expect_cheapest(found, b, g, low, high, volume)
        kinds.append((found["kind"], found.get("worst", False)))
    assert {("interior", False), ("corner", False), ("corner", True)} == set(kinds)


def test_where_inference_hurts_the_least_of_it_is_cheapest(page):
    surface = make_data(0)["surfaces"][0] | predictor([-17.0, 1.0, -0.1, 0.0])
    found = call(page, "optimum", surface, 0.5, 1e9, 1.0)
    assert found["kind"] == "corner" and found["eta"] == pytest.approx(-0.1) and found["v"] == 9.5


def test_no_stretch_of_an_isoquant_crosses_the_place_beyond_which_training_does_not_help(page):
    b = [-38.0, 2.2, 2.0, -0.2]  # D = 2.2 - 0.2 v is 0 at v = 11
    surface = make_data(0)["surfaces"][0] | predictor(b)
    found = call(page, "stretches", surface, 0.5)
    assert found[0]["low"] == 9.5 and found[-1]["high"] == 12.2
    assert all((one["kind"] == "none") == (one["low"] >= 11 - 1e-9) for one in found)
    assert all(one["high"] <= 11 + 1e-9 for one in found if one["kind"] != "none")


@pytest.mark.parametrize(("missing", "known"), [(0, True), (5, True), (6, False)])
def test_draws_without_a_rate_are_counted_and_too_many_leave_no_interval(page, missing, known):
    values = np.random.default_rng(0).normal(size=100)
    values[:missing] = np.nan
    surface = {"draws": [[None if np.isnan(x) else x] for x in values]}
    found = page(f"exchange.interval({json.dumps(surface)}, ([x]) => x)")
    low, high = np.nanquantile(values, [0.025, 0.975])
    assert found["missing"] == missing
    assert [found["low"], found["high"]] == (
        [pytest.approx(low), pytest.approx(high)] if known else [None, None]
    )


@pytest.mark.parametrize("price", [0.1, 1.0, 30.0])
def test_break_even_is_the_volume_at_which_both_checkpoints_cost_the_same(page, price):
    surface = make_data()["surfaces"][0]
    b = coefficients(surface)
    g = inverse("logit", (0.5 - 0.02) / (0.867 - 0.02))
    one, other = (optimize.brentq(lambda v, u=u: isoquant(b, g, v) - u, 9, 13) for u in (17.0, 18.5))
    found = call(page, "breakEven", surface, 0.5, 17.0, 18.5, price)
    expected = (10**18.5 - 10**17.0) / (price * (10**one - 10**other))
    assert found["volume"] == pytest.approx(expected, rel=1e-6)
    costs = [10**u + price * found["volume"] * 10**v for u, v in ((17.0, one), (18.5, other))]
    assert costs[0] == pytest.approx(costs[1], rel=1e-9)


def test_where_more_training_makes_inference_no_cheaper_the_earlier_checkpoint_dominates(page):
    b = [-10.0, -0.2, 1.1, 0.0]
    surface = make_data(0)["surfaces"][0] | predictor(b)
    found = call(page, "breakEven", surface, 0.2, 17.0, 18.0, 1.0)
    assert found["volume"] is None and found["dominates"] == "A"


def test_a_latency_cap_cuts_the_isoquant_where_the_serial_tokens_exceed_it(page):
    surface = make_data()["surfaces"][0]
    for cap in (2000.0, 4000.0, 8000.0):
        u, v, _ = supported(surface, 0.5, cap)
        assert call(page, "pieces", surface, 0.5, cap) == [pytest.approx([v[0], v[-1]], abs=2e-5)]
        serial = LATENCY[0] + LATENCY[1] * u[-1] + LATENCY[2] * v[-1]
        assert serial == pytest.approx(math.log10(cap), abs=2e-5)
    assert call(page, "pieces", surface, 0.5, 1.0) == []


def test_an_isoquant_ends_where_training_stops_helping_or_never_gets_there(page):
    p = Bent(
        (-1.5, 1.5), (0.0, 0.0), (1.0, -0.2), -0.5
    )  # at the top of x over u, b^2 / 2, only the first v get to g
    surface = make_data(0)["surfaces"][0] | predictor(p)
    g = inverse("logit", (0.5 - 0.02) / (0.867 - 0.02))
    found = call(page, "stretches", surface, 0.5)
    assert found[-1]["kind"] == "none" and {one["kind"] for one in found[:-1]} == {"supported"}
    b = p.terms(found[-1]["low"])[1]
    assert b**2 / 2 == pytest.approx(g, abs=1e-6)
    assert page(f"Number.isNaN(exchange.isoquant({json.dumps(surface)}, {g}, 12))")


@pytest.mark.parametrize("d", [0.0, 1e-15, -1e-12])
def test_an_isoquant_is_as_exact_where_the_bend_in_training_is_next_to_nothing(page, d):
    surface = make_data(0)["surfaces"][0] | predictor(Bent(FREE.knots, FREE.a, FREE.b, d))
    straight = Bent(FREE.knots, FREE.a, FREE.b, 0.0)
    for v in (9.6, 10.4, 11.0, 12.1):
        assert call(page, "isoquant", surface, 0.4, v) == pytest.approx(isoquant(straight, 0.4, v), abs=1e-10)


@pytest.mark.parametrize("draw", range(4))
def test_a_draw_is_asked_along_the_surfaces_own_piece(page, draw):
    surface = make_data()["surfaces"][5]
    p = surface["draws"][draw]
    low, high, g = edges(surface, 0.5)
    assert call(page, "span", surface, 0.5, None, p)["rate"] == pytest.approx(rate(surface, 0.5, p), abs=1e-6)
    found = call(page, "optimum", surface, 0.5, 3e7, 1.0, None, p)
    expect_cheapest(found, coefficients(surface, p), g, low, high, 3e7)


def test_a_draw_may_have_a_ceiling_of_its_own(page):
    surface = make_data()["surfaces"][5]
    low, high, _ = edges(surface, 0.5)
    p = surface["draws"][0] | {"ceiling": 0.7, "floor": 0.0}
    g, b = inverse("logit", 0.5 / 0.7), coefficients(surface, surface["draws"][0])
    expected = (isoquant(b, g, low) - isoquant(b, g, high)) / (high - low)
    assert call(page, "span", surface, 0.5, None, p)["rate"] == pytest.approx(expected, abs=1e-6)
    lost = json.dumps([surface, 0.5, None, p | {"ceiling": 0.45}])
    assert page(f"Number.isNaN(exchange.span(...{lost}).rate)")


BY_LEVEL = [{"u": 17.0, "v": [9.5, 11.0]}, {"u": 18.0, "v": [9.9, 11.6]}, {"u": 20.0, "v": [10.5, 12.2]}]


@pytest.mark.parametrize(("index", "y"), [(0, 0.5), (0, 0.6), (3, 0.2), (5, 0.5)])
def test_between_two_levels_the_measured_inference_is_interpolated(page, index, y):
    surface = make_data()["surfaces"][index]
    surface["support"] = surface["support"] | {"by_level": BY_LEVEL}
    u, v, _ = supported(surface, y)
    least, most = (
        np.interp(u, [r["u"] for r in BY_LEVEL], [r["v"][end] for r in BY_LEVEL]) for end in (0, 1)
    )
    inside = v[(v >= least) & (v <= most)]
    assert 0 < len(inside) < len(v)
    assert call(page, "pieces", surface, y) == [pytest.approx([inside[0], inside[-1]], abs=3e-5)]
    p, g = (
        coefficients(surface),
        inverse(surface["link"], (y - surface["floor"]) / (surface["ceiling"] - surface["floor"])),
    )
    for at, (low, high) in ((17.0, (9.5, 11.0)), (18.5, (10.05, 11.75))):
        needed = optimize.brentq(lambda w, at=at: x_of(p, at, w) - g, 5, 20)
        found = call(page, "reach", surface, y, at)
        expected = "below" if needed < low else "never" if needed > high else None
        assert found["why"] == expected
        assert expected or found["v"] == pytest.approx(needed, abs=1e-9)


def test_the_cheapest_point_can_be_at_a_knot(page):
    surface = make_data(0)["surfaces"][5]
    low, high, g = edges(surface, 0.5)
    kinds = set()
    for power in np.linspace(4, 11, 36):
        found = call(page, "optimum", surface, 0.5, 10**power, 1.0)
        expect_cheapest(found, coefficients(surface), g, low, high, 10**power)
        kinds.add((found["kind"], bool(found["beside"])))
    assert kinds >= {("interior", True), ("interior", False), ("corner", False)}
