"""Whatever the grid: an answer without NaN that every view can show, or one clear error."""

import json
import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.errors import FitError, InputError
from scaling.exchange import exchange_rate, forms
from scaling.exchange.equivalence import equivalences
from scaling.exchange.purchase import purchase

Grid = Callable[..., pd.DataFrame]
GRIDS = st.fixed_dictionaries(
    {
        "levels": st.integers(1, 5),
        "seeds": st.integers(1, 3),
        "problems": st.sampled_from([1, 2, 12, 30]),
        "samples": st.sampled_from([1, 8]),
        "budgets": st.integers(1, 6),
        "shared": st.booleans(),
        "run_sd": st.sampled_from([0.0, 0.1, 0.5]),
        "problem_sd": st.sampled_from([0.0, 1.0, 6.0]),
        "infer": st.sampled_from([(9.0, 9.6), (9.0, 10.5), (9.0, 12.0)]),
        "seed": st.integers(0, 1000),
    }
)


def thinned(frame: pd.DataFrame, how: str, seed: int) -> pd.DataFrame:
    """Without some rows, without the end of a run, or without some budgets of some runs."""
    rng = np.random.default_rng(seed)
    if how == "rows":
        return frame.sample(frac=0.6, random_state=seed)
    if how == "stopped":
        run = rng.integers(frame["run"].max() + 1)
        return frame[(frame["run"] != run) | (frame["train_flops"] < frame["train_flops"].median())]
    if how == "budgets":
        keep = rng.random((frame["run"].max() + 1, frame["budget"].max() + 1)) < 0.7
        return frame[keep[frame["run"], frame["budget"]]]
    return frame


@given(
    options=GRIDS,
    how=st.sampled_from(["whole", "rows", "stopped", "budgets"]),
    cells=st.booleans(),
    surface=st.sampled_from([form.name for form in forms.ALL]),
    link=st.sampled_from(["logit", "cloglog", "linear"]),
    interval=st.sampled_from(["jackknife", "bootstrap"]),
)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_any_grid_has_an_answer_or_an_error(
    grid: Grid,
    as_cells: Callable[[pd.DataFrame], pd.DataFrame],
    options: dict[str, object],
    how: str,
    cells: bool,
    surface: str,
    link: str,
    interval: str,
) -> None:
    frame = thinned(grid(**options), how, int(str(options["seed"])))
    frame = as_cells(frame) if cells and len(frame) else frame
    try:
        found = exchange_rate(
            frame,
            surface=surface,
            link=link,
            interval=interval,
            bootstrap=10,
            backtested=False,  # type: ignore[arg-type]
        )
    except (InputError, FitError) as error:
        assert str(error)
        return
    json.dumps([found.to_json(), found.details()])
    assert found.summary()
    for rate in found.rates:
        assert bool(rate.reason) == (rate.status != "ok")
        assert (rate.eta is None) == (rate.status in ("undefined", "not identified"))
        if rate.eta is None:
            continue
        assert rate.span is not None
        assert rate.span.infer > 0
        assert found.design.levels >= 3
        if rate.eta.low is not None and rate.eta.high is not None:
            assert rate.eta.low <= rate.eta.high
        if rate.status == "one-sided":
            assert rate.eta.low is not None
            assert 0 < rate.eta.low <= rate.eta.value
            with pytest.raises(InputError, match="no rate is identified on both sides"):
                purchase(found, rate.at, 1e8)
            continue
        assert np.isfinite(rate.eta.value)
        assert purchase(found, rate.at, 1e8).cost.value > 0
    if len(found.design.budgets) > 1 and found.design.levels > 2:
        try:
            notes = set(equivalences(found).get("note", []))
        except InputError as error:
            assert re.search(
                "scores do not rise with training|what stands in for what takes 3 levels", str(error)
            )
            return
        assert notes <= {"", "at least", "at most", "beyond", "below", "wide"}
