"""`scaling predict` on any file and at any inputs: an answer, or one line."""

import copy
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def saved(inside, ok, rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    rows.to_csv(folder / "t.csv", index=False)
    fit = ("fit", folder / "t.csv", "--law", "chinchilla", "--bootstrap", 20, "--json", folder / "fit.json")
    ok(inside(*fit))
    return folder


def stored(folder: Path, name: str, text: str, draws: pa.Table) -> Path:
    """A saved fit with draws that belong to it."""
    path = folder / f"{name}.json"
    path.write_text(text)
    mark = {"fit": hashlib.sha256(text.encode()).hexdigest()}
    pq.write_table(draws.replace_schema_metadata(mark), folder / f"{name}.draws.parquet")
    return path


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--at", "N=nan,D=1e9"], "N is nan; give a positive number"),
        (["--at", "N=1e9,D=0"], "D is 0; give a positive number"),
        (["--at", "N=-1e9,D=1e9"], "N is -1e+09; give a positive number"),
        (["--compute", "nan"], "compute is nan; give a positive number"),
        (["--compute", "inf"], "compute is inf; give a positive number"),
        (["--compute", "1e20", "--inference", "-1"], "inference is -1; give a positive number"),
    ],
)
def test_inputs_that_mean_nothing_are_refused(inside, one_line, saved: Path, options, says: str) -> None:
    one_line(inside("predict", saved / "fit.json", *options), 2, says)


def test_an_endless_input_is_a_limit(inside, ok, saved: Path) -> None:
    assert "loss at N = ∞" in ok(inside("predict", saved / "fit.json", "--at", "N=inf,D=1e9"))


def test_fits_that_no_fit_wrote_are_refused(inside, one_line, saved: Path) -> None:
    text, draws = (saved / "fit.json").read_text(), pq.read_table(saved / "fit.draws.parquet")
    body = json.loads(text)
    body["interval"]["level"] = 95
    level = stored(saved, "level", json.dumps(body), draws)
    one_line(inside("predict", level, "--compute", "1e20"), 2, "no saved fit (its level is 95)")
    body = json.loads(text)
    body["parameters"]["A"]["value"] = 10**400
    huge = stored(saved, "huge", json.dumps(body), draws)
    one_line(inside("predict", huge, "--compute", "1e20"), 2, "no saved fit (OverflowError")
    for cell in ("x", [1.0], [1.0, 2.0]):
        words = stored(saved, "words", text, draws.set_column(0, "E", pa.array([cell] * len(draws))))
        one_line(inside("predict", words, "--at", "N=1e9,D=1e10"), 2, "words.draws.parquet is damaged")


ODD = [
    None,
    True,
    0,
    -1,
    10**400,
    math.nan,
    math.inf,
    1e308,
    "",
    "x",
    [],
    [1],
    {},
    {"value": None},
    "power",
    "\ud800",
]
CELLS = ["x", None, 1, [1.0], math.nan, math.inf, -1.0, True, b"x"]
AT = st.one_of(
    st.builds(
        lambda N, D: ["--at", f"N={N},D={D}"], *(st.floats() | st.sampled_from(["1_0", "x", "", "0x1"]),) * 2
    ),
    st.text(max_size=12).map(lambda text: ["--at", f"N=1e9,{text}"]),
    st.builds(lambda C, T: ["--compute", f"{C}", "--inference", f"{T}"], st.floats(), st.floats()),
    st.just(["--compute", "1e20"]),
)


def places(found: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths to all that a JSON body holds."""
    inner = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data(), at=AT)
def test_any_saved_fit_gives_an_answer_or_one_line(inside, one_line, ok, saved: Path, data, at) -> None:
    body = json.loads((saved / "fit.json").read_text())
    draws = pq.read_table(saved / "fit.draws.parquet")
    known = [
        place for place in places(body) if place and place[0] in ("schema", "law", "parameters", "interval")
    ]
    for place in data.draw(st.lists(st.sampled_from(known), max_size=2)):
        changed = copy.deepcopy(body)
        inner = changed
        try:
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = data.draw(st.sampled_from(ODD))
        except (KeyError, TypeError, IndexError):
            continue
        body = changed
    if data.draw(st.integers(0, 3)) == 0:
        cells = pa.array([data.draw(st.sampled_from(CELLS))] * len(draws))
        draws = draws.set_column(data.draw(st.integers(0, 4)), "E", cells)
    text = json.dumps(body)
    if data.draw(st.integers(0, 9)) == 0:
        text = text[: data.draw(st.integers(0, len(text)))]
    run = inside("predict", stored(saved, "any", text, draws), *at)
    if run.returncode:
        one_line(run, 2)
        assert run.stdout == ""
    else:
        assert ok(run)
