"""Whatever a table holds: rows used plus rows excluded are the rows read, or one line says why there is no fit."""

import json
import math

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling import outside
from scaling.errors import FitError, InputError

ODD = [
    math.nan,
    math.inf,
    -math.inf,
    0.0,
    -1.0,
    1e-300,
    1e300,
    5e-324,
    None,
    10**400,
    True,
    "12",
    "",
    "x",
    [1],
]
SIZES = st.sampled_from([1e5, 3e5, 1e6, 3e6, 1e7])
LENGTHS = st.sampled_from([1e7, 1e8, 1e9])


@st.composite
def messy_rows(draw: st.DrawFn) -> list[dict[str, object]]:
    """Rows that obey a law, some of them with a cell that no law can use."""
    found: list[dict[str, object]] = []
    for _ in range(draw(st.integers(1, 25))):
        N, D = draw(SIZES), draw(LENGTHS)
        loss = (1.8 + 400 / N**0.34 + 400 / D**0.3) * (1 + draw(st.floats(-0.01, 0.01)))
        row: dict[str, object] = {
            "N": N,
            "D": D,
            "loss": loss,
            "state": draw(st.sampled_from(["finished", "crashed"])),
        }
        if draw(st.integers(0, 7)) == 0:
            row[draw(st.sampled_from(["N", "D", "loss", "state"]))] = draw(st.sampled_from(ODD))
        if draw(st.integers(0, 30)) == 0:
            del row[draw(st.sampled_from(["N", "D", "loss", "state"]))]
        found.append(row)
    return found


@settings(max_examples=50, deadline=None)
@given(
    table=messy_rows(),
    ending=st.sampled_from([".csv", ".tsv", ".jsonl"]),
    law=st.sampled_from(["chinchilla", "power", "p_norm"]),
    mapping=st.sampled_from([{}, {"C": "6 * N * D", "x": "N"}, {"x": "D", "N": "exp(log(N))"}]),
    where=st.sampled_from([None, "state == 'finished'", "loss < 5 and N > 1e5"]),
    bootstrap=st.sampled_from([0, 8]),
)
def test_used_and_excluded_are_all_rows(
    tmp_path_factory, table, ending: str, law: str, mapping, where: str | None, bootstrap: int
) -> None:
    path = tmp_path_factory.mktemp("messy") / f"t{ending}"
    if ending == ".jsonl":
        path.write_text("\n".join(json.dumps(row) for row in table))
    else:
        pd.DataFrame(table).to_csv(path, index=False, sep="," if ending == ".csv" else "\t")
    try:
        found = outside.fit_table(path, law, mapping=mapping, where=where, bootstrap=bootstrap)
    except (InputError, FitError) as error:
        assert str(error)
        assert "\n" not in str(error)
        return
    account = found.to_json("test")["rows"]
    rows = [entry["row"] for entry in account["excluded"]]
    assert account["used"] + len(rows) == account["read"] == len(table)
    assert len(set(rows)) == len(rows)
    assert sorted([*rows, *found.rows.frame.index]) == list(range(len(table)))
    assert all(entry["reason"] for entry in account["excluded"])
    assert f"{account['used']} used of {account['read']} read" in found.summary()
    outside.write_json(path.with_suffix(".json"), found, "test")
    assert json.loads(path.with_suffix(".json").read_text())["schema"] == "scaling.fit/1"
