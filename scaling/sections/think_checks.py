"""What own rates rest on: rates planted in the same design, ways to set a budget, the verifier, conventions."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.exchange import Exchange
from scaling.exchange.planted import Planted, table
from scaling.exchange.summary import eta_shown
from scaling.records.sampled import spent
from scaling.reporting import numbers
from scaling.reporting.document import Section, Table, Verdict
from scaling.sections.exchange_trust import sensitivity_section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from scaling.exchange import Rate
    from scaling.study import Analysis


MOST_GIVEN = 0.5
"""Share of simulated grids with an interval below which coverage is of a choice of them, and not summed up."""


class Plants:
    """Rates planted in the design of each measured method."""

    def __init__(self, found: Mapping[str, Sequence[Planted]]) -> None:
        self.found = found

    def frame(self) -> pd.DataFrame:
        """Return one row a method and planted rate."""
        parts = [table(rows).assign(method=name) for name, rows in self.found.items()]
        if not parts:
            return pd.DataFrame()
        whole = pd.concat(parts, ignore_index=True)
        return whole[["method", *(name for name in whole.columns if name != "method")]]

    def to_json(self) -> dict[str, Any]:
        """Return the rows."""
        return {"rows": self.frame().replace({np.nan: None}).to_dict("records")}


class Conventions:
    """A method's rates under every convention that its columns tell apart."""

    def __init__(self, rows: Mapping[str, pd.DataFrame]) -> None:
        self.rows = rows

    def to_json(self) -> dict[str, Any]:
        """Return the rows."""
        return {name: rows.replace({np.nan: None}).to_dict("records") for name, rows in self.rows.items()}


def planted_section(analysis: Analysis) -> Section:
    """Return how often the shipped analysis finds a rate that was planted in exactly this design."""
    plants: Plants = analysis.fits["planted"]
    rows, title = plants.frame(), "A rate planted in this design"
    if rows.empty:
        return Section(title, ("No method was measured, so that there is no design to plant in.",))
    prose = (
        "The same levels, budgets, runs, problems and samples, drawn anew about a surface with a known rate, everywhere the "
        "same on the link's scale, and placed so that its score is passed where the measured scores pass it, on average "
        "over budgets; the analysis is the one that made the tables above, at the score whose rate is quoted of a method, "
        "or where it has none at the one that training passes at most budgets. Coverage is the share of the 95 % intervals "
        "that hold the planted rate, with its Monte Carlo error; the last column is the share of simulated grids "
        "that gave an interval with two ends, and where it is low these are a choice.",
        "Simulated, with sizes estimated from the measured scores less the noise of samples: runs, whose luck shifts their "
        "checkpoints, half of its variance for good, a quarter growing along training, a quarter anew at each checkpoint; "
        "problems, normal on the link's scale with one spread at each budget, in parts that stay in all runs, in one run, "
        "and in one checkpoint; and samples. For longer thinking, part of a run's luck and of a problem's place is of one "
        "budget alone. All k of a problem at a checkpoint have luck, place and one pool of samples in common: a pass counts "
        "the pool's right samples, a vote is against one other answer, a verifier's choice is of ranked samples that are "
        "right independently of each other.",
        "Not simulated: spreads that change along training or are not normal; scores below chance; ranks at which verifiers "
        "err more or less often; costs, which stay as measured; a rate that changes along the surface. The planted rate is "
        "that of a middling run, from which runs' own rates differ as their luck grows. It may ask more of k than choosing "
        "among the same samples can give.",
    )
    table = Table(
        "planted",
        "Coverage of planted rates, by method.",
        rows,
        headings={"at": "score", "planted": "planted η", "bias": "mean error"},
        formats={
            name: lambda x: numbers.percent(float(x)) for name in ("coverage", "error", "with interval")
        },
    )
    return Section(title, prose, (_planted_verdict(rows),), tables=(table,))


def _planted_verdict(rows: pd.DataFrame) -> Verdict:
    """Return the coverage where most grids gave an interval, and in how many cases that was so."""
    told = rows[rows["with interval"] >= MOST_GIVEN]
    least = numbers.percent(MOST_GIVEN)
    if told.empty:
        return Verdict(
            f"In none of {len(rows)} cases did {least} of the simulated grids give an interval.",
            "not identified",
        )
    worst = told.iloc[int(told["coverage"].to_numpy().argmin())]
    few = rows[(rows["with interval"] < MOST_GIVEN) & rows["coverage"].notna()]["coverage"]
    rest = ""
    if len(few):
        ends = dict.fromkeys(numbers.percent(float(end)) for end in (few.min(), few.max()))
        rest = f" Where fewer do, which makes them a choice, they hold it {' to '.join(ends)} of the time."
    return Verdict(
        f"In {len(told)} of {len(rows)} cases {least} or more of the simulated grids give an interval, and these hold the "
        f"planted rate {numbers.percent(float(told['coverage'].mean()))} of the time on average, at the least "
        f"{numbers.percent(float(worst['coverage']))} ({worst['method']}, η = {numbers.plain(float(worst['planted']))}), "
        f"with Monte Carlo errors up to {numbers.percent(float(told['error'].max()))} a case.{rest}",
        "measured",
    )


def settings_section(analysis: Analysis, words: Mapping[str, str]) -> Section:
    """Return scores under every way to set a thinking budget, by checkpoint; ``words`` say what kinds of run are."""
    evals = analysis.records.evals
    evals = evals[evals["samples"].notna()]
    runs = analysis.records.runs.set_index("run_id")["kind"]
    rows = evals.assign(
        kind=evals["run_id"].map(runs).map(words),
        setting=evals["method"].str.cat(evals["budget"].fillna(""), sep=" ").str.strip(),
        tokens_seen=_tokens(analysis, evals),
    )
    rows = rows.sort_values("samples", ascending=False, kind="stable")
    rows = rows.drop_duplicates(["run_id", "step", "difficulty", "setting"])  # a control has fewer samples
    both = rows.groupby(["kind", "step", "difficulty", "setting"], as_index=False, observed=True).agg(
        runs=("score", "size"), score=("score", "mean"), low=("score", "min"), high=("score", "max"),
        tokens=("tokens_mean", "mean"), truncated=("truncated_share", "mean"), tokens_seen=("tokens_seen", "mean"),
    )  # fmt: skip
    both = both.sort_values(["kind", "tokens_seen", "difficulty", "setting"])
    table_rows = both.drop(columns=["tokens_seen"]).rename(
        columns={"low": "lowest run", "high": "highest run"}
    )
    return Section(
        "How budgets were set",
        (
            "`asked B` puts the budget's control character before the problem; `forced B` writes in what the budget gives "
            "(for words: the generators of the chosen positions) while the model writes the states; `cut N` stops thinking "
            "after N tokens and asks for the answer at once, a negative control; `free` leaves it to the model.",
        ),
        tables=(
            Table(
                "settings",
                "Mean score over runs, lowest and highest run, tokens written.",
                table_rows,
                formats={
                    name: lambda x: numbers.percent(float(x))
                    for name in ("score", "lowest run", "highest run", "truncated")
                },
                rows_shown=80,
            ),
        ),
    )


def _tokens(analysis: Analysis, evals: pd.DataFrame) -> pd.Series:
    points = analysis.records.checkpoints.set_index(["run_id", "step"])["tokens_seen"]
    return pd.Series(
        [points.get((run, step)) for run, step in zip(evals["run_id"], evals["step"], strict=True)],
        index=evals.index,
    )


def verifier_section(analysis: Analysis) -> Section:
    """Return how well the learned verifiers tell right from wrong, and what they cost."""
    evals = analysis.records.evals
    judged = evals[evals["verifier_auc"].notna() | evals["infer_flops_verifier_per_problem"].notna()]
    runs = analysis.records.runs.set_index("run_id")["kind"]
    spent_on = spent(analysis.records).set_index(["run_id", "step"])["train_flops"]
    stage = pd.MultiIndex.from_frame(judged[["run_id", "step"]])
    rows = judged.assign(
        kind=judged["run_id"].map(runs),
        of_stage=judged["verifier_train_flops"].to_numpy() / spent_on.reindex(stage).to_numpy(),
        share=judged["infer_flops_verifier_per_problem"] / judged["infer_flops_decode_per_problem"],
    ).groupby(["kind", "step"], as_index=False).agg(
        score=("score", "mean"), auc=("verifier_auc", "mean"), lowest=("verifier_auc", "min"), share=("share", "mean"),
        training=("verifier_train_flops", "mean"), of_stage=("of_stage", "mean"),
    )  # fmt: skip
    return Section(
        "The learned verifier",
        (
            "A logistic regression on the model's own hidden states and log-probabilities, trained on its own completions "
            "of training problems, one for each checkpoint. Scoring a completion means reading it once more, which the "
            "inference bill counts. Training it is not in the training bill of the rates; its FLOPs are here, and over "
            "those of the stage up to the checkpoint: booked there, they would move the least RL levels closer together, "
            "and η of this method against RL would be smaller.",
        ),
        tables=(
            Table(
                "verifier",
                "Area under the ROC curve on held-out problems, mean and lowest run; reading again over writing; FLOPs of "
                "training it, and over those of the stage.",
                rows,
                headings={
                    "auc": "AUC",
                    "lowest": "lowest run's",
                    "share": "reading / writing",
                    "training": "training FLOPs",
                    "of_stage": "training / stage",
                },
                formats={
                    "score": lambda x: numbers.percent(float(x)),
                    "training": lambda x: numbers.quantity(float(x)),
                    "of_stage": lambda x: numbers.plain(float(x), 2),
                },
                rows_shown=60,
            ),
        ),
    )


class Guesses:
    """An oracle's rates with what a guesser passes left in."""

    def __init__(self, found: Mapping[str, Sequence[Rate]], chance: Mapping[str, float]) -> None:
        self.found, self.chance = found, chance

    def to_json(self) -> dict[str, Any]:
        """Return the rates by method, and a guess's chance."""
        return {name: [rate.to_json() for rate in rates] for name, rates in self.found.items()} | {
            "chance": dict(self.chance)
        }


def guesses_section(analysis: Analysis) -> Section | None:
    """Return an oracle's rates with guesses taken out, as in the rest of the report, beside those with them left in."""
    guesses: Guesses = analysis.fits["guesses"]
    rows = []
    for name, rates in guesses.found.items():
        own = analysis.fits.get(f"by run: {name}") or analysis.fits[name]
        rows += [
            {"method": name, "at": rate.at, "out": _shown(one), "in": _shown(rate)}
            for one, rate in zip(own.rates, rates, strict=True)
            if one.eta is not None or rate.eta is not None
        ]
    if not rows:
        return None
    said = ", ".join(f"{numbers.plain(chance, 2)} ({name})" for name, chance in guesses.chance.items())
    return Section(
        "An oracle and guesses",
        (
            "An oracle passes a problem if one of k answers is right, and of a hundred possible answers k guesses hold it "
            "often. What one passes who draws answers as the right ones are spread, 1 - (1 - c)^k, is taken out of its "
            f"scores in this report; c is {said}. With guesses left in, scores at large k are higher, and η may be too.",
        ),
        tables=(
            Table(
                "guesses",
                "η of an oracle with guesses taken out and left in.",
                pd.DataFrame(rows),
                headings={"at": "score", "out": "guesses out", "in": "guesses in"},
            ),
        ),
    )


def _shown(rate: Rate) -> str:
    return rate.status if rate.eta is None else eta_shown(rate)


def conventions_section(analysis: Analysis, name: str, words: str) -> Section | None:
    """Return the rates of a method under every convention: the stage alone or all training, verifier in or out.

    ``words`` say what the method's axis is.
    """
    conventions: Conventions = analysis.fits["conventions"]
    rows, found = conventions.rows.get(name), analysis.fits.get(name)
    if rows is None or not isinstance(found, Exchange):
        return None
    made = sensitivity_section(rows)
    named = tuple(
        dataclasses.replace(one, name=f"conventions-{name.partition(':')[0].lower()}-{one.name}")
        for one in made.tables
    )
    method = name.partition(": ")[2]
    verdicts = tuple(
        dataclasses.replace(
            one, text=f"Of {method} against {words}: {one.text[0].lower()}{one.text[1:]}", on_top=False
        )
        for one in made.verdicts
    )
    decides = tuple(
        f"{warned.message[0].upper()}{warned.message[1:]}."
        for warned in found.warnings
        if warned.code == "ledger_decides"
    )
    return dataclasses.replace(
        made,
        title=f"Conventions, {method}, {words}",
        prose=(*made.prose, *decides),
        tables=named,
        verdicts=verdicts,
    )
