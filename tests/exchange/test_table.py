"""Every row of a messy table is used or dropped with its reason; samples give what finished scores give."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.errors import FitError, InputError
from scaling.exchange import Exchange, Ledger, exchange_rate
from scaling.exchange.table import prepare
from scaling.samples import curves

Grid = Callable[..., pd.DataFrame]
Small = Callable[..., Exchange]
TRAIN = [1e18, 1e19, 1e20]


def rows(**columns: object) -> pd.DataFrame:
    """Three levels x three budgets, one row a cell."""
    u, v = np.meshgrid(TRAIN, [1e9, 1e10, 1e11], indexing="ij")
    told = {"train_flops": u.ravel(), "infer_flops_per_problem": v.ravel()}
    return pd.DataFrame(told | {"score": np.linspace(0.1, 0.9, 9)} | columns)


MESS = st.fixed_dictionaries(
    {
        "train_flops": st.sampled_from([1e18, 1e19, 1e20, 0.0, -1.0, np.nan, np.inf]),
        "infer_flops_per_problem": st.sampled_from([1e9, 1e10, 0.0, -5.0, np.nan, np.inf]),
        "score": st.sampled_from([0.0, 0.3, 1.0, np.nan, np.inf, -np.inf]),
        "status": st.sampled_from(["finished", "failed", "crashed", None]),
        "method": st.sampled_from(["think", "vote", None]),
    }
)


@given(st.lists(MESS, min_size=1, max_size=25))
@settings(max_examples=150, deadline=None)
def test_every_row_is_used_or_dropped_with_a_reason(mess: list[dict[str, object]]) -> None:
    frame = pd.DataFrame(mess).assign(problem=np.arange(len(mess)))
    frame.index = frame.index + 100
    if "think" not in set(frame["method"]):
        with pytest.raises(InputError, match="no row has method 'think'"):
            prepare(frame, "think")
        return
    try:
        design = prepare(frame, "think").design(Ledger())
    except FitError as error:
        assert "can be used" in str(error)
        return
    used = int(np.isfinite(design.scores).sum())
    lost = [row for row, _ in design.dropped]
    assert used + len(lost) == design.read == len(frame)
    assert len(set(lost)) == len(lost)
    assert set(lost) <= set(frame.index)
    good = (
        (frame["method"] == "think")
        & (frame["status"].isna() | (frame["status"] == "finished"))
        & frame[["train_flops", "infer_flops_per_problem", "score"]].map(np.isfinite).all(axis=1)
        & (frame["train_flops"] > 0)
        & (frame["infer_flops_per_problem"] > 0)
    )
    assert used == good.sum()
    assert set(lost) == set(frame.index[~good])
    assert all(why for _, why in design.dropped)


SAMPLE = st.fixed_dictionaries(
    {
        "train_flops": st.sampled_from([1e18, 1e19, np.nan, -1.0]),
        "infer_flops_per_problem": st.sampled_from([1e9, 1e10, np.nan]),
        "problem": st.integers(0, 2),
        "correct": st.sampled_from([0.0, 1.0, np.nan]),
        "status": st.sampled_from(["finished", "failed"]),
    }
)


@given(st.lists(SAMPLE, min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_every_sample_is_used_or_dropped_under_its_own_label(mess: list[dict[str, object]]) -> None:
    frame = pd.DataFrame(mess)
    frame.index = [f"row {k}" for k in range(len(frame))]
    frame["budget"] = frame["infer_flops_per_problem"].fillna(0.0)
    try:
        design = prepare(frame).design(Ledger())
    except FitError:
        return
    lost = [row for row, _ in design.dropped]
    assert design.trials is not None
    assert np.nansum(design.trials) + len(lost) == design.read == len(frame)
    assert len(set(lost)) == len(lost)
    assert set(lost) <= set(frame.index)


def test_text_in_a_number_names_its_row() -> None:
    frame = rows()
    frame["score"] = frame["score"].astype(object)
    frame.loc[4, "score"] = "n/a?"
    with pytest.raises(InputError, match="column score, row 4: 'n/a\\?' is not a number"):
        exchange_rate(frame)
    for name in ("n_problems", "n"):
        with pytest.raises(InputError, match=f"column {name}, row 0: 'many' is not a number"):
            exchange_rate(rows(**{name: "many"}))


def test_a_cell_is_the_mean_of_some_problems() -> None:
    with pytest.raises(InputError, match="row 0: n_problems is -3; expected how many"):
        exchange_rate(rows(n_problems=-3))


def test_a_cell_given_twice_is_refused() -> None:
    frame = pd.concat([rows(), rows().iloc[[2]]], ignore_index=True)
    with pytest.raises(InputError, match="rows 2 and 9 are the same checkpoint at one budget"):
        exchange_rate(frame)
    with pytest.raises(InputError, match="rows 2 and 9 are the same problem of one checkpoint at one budget"):
        exchange_rate(frame.assign(problem="a"))


def test_per_cents_are_refused_with_what_to_do() -> None:
    with pytest.raises(
        InputError, match=r"row 1 has score 20; expected a share.*COLUMN / 100.*--link linear"
    ):
        exchange_rate(rows(score=np.linspace(10, 90, 9)).iloc[1:])


def test_methods_are_never_pooled() -> None:
    frame = pd.concat([rows(method="think"), rows(method="vote")], ignore_index=True)
    with pytest.raises(InputError, match=r"2 methods \(think, vote\), which are never pooled"):
        exchange_rate(frame)
    for name in ("think", "vote"):
        found = exchange_rate(frame, method=name, at=[0.5], backtested=False, bootstrap=0)
        assert found.design.read == 18
        assert len(found.design.dropped) == 9
        assert {why for _, why in found.design.dropped} == {f"method is not {name}"}
    with pytest.raises(InputError, match="no row has method 'search'; the table has think, vote"):
        exchange_rate(frame, method="search")


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("train_flops", "training compute needs a column train_flops"),
        ("infer_flops_per_problem", "inference compute a problem needs a column infer_flops_per_problem"),
        ("score", "the table has no score: expected a column score"),
    ],
)
def test_a_missing_column_is_named(gone: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        exchange_rate(rows().drop(columns=gone))


def test_counts_must_be_counts() -> None:
    frame = rows().drop(columns="score").assign(n=10, c=11)
    with pytest.raises(InputError, match="row 0 has 11 right of 10; expected c between 0 and n"):
        exchange_rate(frame)


def test_counts_are_scores(table: pd.DataFrame, small: Small) -> None:
    told = table.assign(score=table["c"] / table["n"]).drop(columns="c")
    one, other = small(table, at=[0.5]).rate(0.5), small(told, at=[0.5]).rate(0.5)
    assert one == other


def test_samples_are_counts(
    plain: pd.DataFrame, as_samples: Callable[..., pd.DataFrame], small: Small
) -> None:
    long = as_samples(plain)
    assert small(long, at=[0.5]).rate(0.5) == small(plain, at=[0.5]).rate(0.5)


def test_a_seed_numbers_the_runs_of_each_level(plain: pd.DataFrame, small: Small) -> None:
    seeds = plain.assign(seed=plain["run"] % 2).drop(columns="run")
    one, other = small(seeds, at=[0.5]), small(plain, at=[0.5])
    assert one.design.seeds.tolist() == [2, 2, 2, 2]
    assert one.rate(0.5) == other.rate(0.5)


@pytest.fixture(scope="module")
def asked() -> pd.DataFrame:
    """Eight samples of 24 problems at 4 levels: answers, a verifier's scores, marks and tokens."""
    rng = np.random.default_rng(3)
    level, problem, sample = (axis.ravel() for axis in np.indices((4, 24, 8)))
    chance = 1 / (1 + np.exp(-(0.7 * level - 1 + np.linspace(-1, 1, 24)[problem])))
    correct = rng.random(len(level)) < chance
    wrong = rng.integers(1, 4, len(level))
    return pd.DataFrame(
        {
            "train_flops": 10.0 ** (18 + 0.5 * level),
            "infer_flops_per_problem": 1e9,
            "problem": problem,
            "sample": sample,
            "correct": correct,
            "answer": np.where(correct, 0, wrong),
            "verifier_score": correct + rng.normal(0, 1, len(level)),
        }
    )


@pytest.mark.parametrize("method", ["majority", "best_of", "pass"])
def test_samples_put_together_are_the_finished_scores(asked: pd.DataFrame, small: Small, method: str) -> None:
    """Of k samples, at k times the compute."""
    ks = [1, 2, 4, 8]
    found = small(asked, method=method, k=ks, at=[0.6])
    done = curves(asked, method, ks, by=("train_flops",))
    done = done.assign(infer_flops_per_problem=1e9 * done["k"], budget=done["k"], method=method).drop(
        columns="score_mc_se"
    )
    link = "cloglog" if method == "pass" else "logit"
    other = small(done, at=[0.6], link=link)
    assert found.link == link
    assert found.method == other.method == method
    assert found.rate(0.6) == other.rate(0.6)
    np.testing.assert_allclose(found.design.v, np.log10(1e9 * np.array(ks))[None].repeat(4, 0), rtol=1e-12)


def test_pass_takes_counts(asked: pd.DataFrame, small: Small) -> None:
    keys = ["train_flops", "infer_flops_per_problem", "problem"]
    counts = asked.groupby(keys)["correct"].agg(n="size", c="sum").reset_index()
    one, other = (small(frame, method="pass", at=[0.6]) for frame in (asked, counts))
    assert one.design.budgets == other.design.budgets == (1, 2, 4, 8)
    assert one.rate(0.6) == other.rate(0.6)


def test_k_beyond_the_samples_and_k_of_no_samples_are_refused(asked: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="k is 16, and 96 of 96 problems have fewer samples"):
        exchange_rate(asked, method="majority", k=[1, 16])
    with pytest.raises(InputError, match="k counts samples that are put together"):
        exchange_rate(rows(), k=[1, 2])
    with pytest.raises(InputError, match="puts samples of one budget together, and the table has 2"):
        exchange_rate(asked.assign(budget=asked["sample"] % 2), method="majority")
    with pytest.raises(InputError, match="a problem has 1 sample; putting samples together needs at least 2"):
        exchange_rate(asked[asked["sample"] == 0], method="majority")


def test_rows_of_samples_that_cannot_be_priced_are_dropped_by_their_labels(asked: pd.DataFrame) -> None:
    costs = asked["infer_flops_per_problem"].where(asked["train_flops"] > 1e18)
    design = prepare(asked.assign(infer_flops_per_problem=costs), "pass").design(Ledger())
    lost = [row for row, _ in design.dropped]
    assert sorted(lost) == asked.index[asked["train_flops"] == 1e18].tolist()
    assert design.levels == 3
    assert design.read == len(asked)


def test_the_score_of_a_blind_guess_is_the_floor(plain: pd.DataFrame, small: Small) -> None:
    assert small(plain.assign(chance_score=0.1), at=[0.5]).chance == pytest.approx(0.1)
    with pytest.raises(InputError, match="chance_score is 1; expected the score of a blind guess"):
        exchange_rate(plain.assign(chance_score=1.0))
