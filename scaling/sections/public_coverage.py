"""Public counts of right samples: what samples are worth in training, and which law of coverage goes on rightly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from scaling.exchange.coverage_laws import LAWS, LEAST_SQUARES, LIKELIHOOD, doublings
from scaling.exchange.summary import eta_shown
from scaling.reporting import numbers, plots
from scaling.reporting.document import Figure, Section, Table, Verdict
from scaling.reporting.style import Groups
from scaling.samples import pass_at_k
from scaling.sections.law import text
from scaling.sections.public_counts import Backtests, Samples

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from scaling.study import Analysis

TITLE = "Samples against training, with an oracle"
NAMES = {LEAST_SQUARES: "least squares", LIKELIHOOD: "beta-binomial"}
"""What the two laws are called."""
PLACES = 60


def coverage(analysis: Analysis) -> Section:
    """Return samples for one coverage by checkpoint, the rates between them, and the backtest of two laws."""
    found = next((one for one in analysis.fits.values() if isinstance(one, Samples)), None)
    if found is None:
        return Section(TITLE, ("No counts of right samples could be had.",))
    return Section(
        TITLE,
        _prose(found),
        (_needed(found), _rates(found), *(_goes_on(one) for one in found.backtests if one.found)),
        (_figure(found),),
        (_table(found), *(_held_out(one, at) for at, one in enumerate(found.backtests) if one.found)),
    )


def _prose(found: Samples) -> tuple[str, ...]:
    told, models = found.adaptive
    rates = found.rates
    return (
        f"Counts of right answers among many samples ({found.name}) at checkpoints of {found.model}, "
        f"{rates.problems} problems, the same ones at each. A problem counts as solved if any of k samples is "
        "right, and k equal samples cost k times one: eta is decades of training tokens over decades of "
        "samples saved, between neighbouring checkpoints. k is where a beta-binomial law reaches the coverage; "
        f"problems are drawn jointly at all checkpoints ({100 * rates.level:g} % intervals). All are "
        "checkpoints of one run, and before its end the learning rate has not come down.",
        "**An oracle picks the right sample here.** Such coverage prices luck: it falls to whoever samples "
        "more, counts right answers by wrong reasoning, and cannot be had in use without a verifier that knows "
        "the right sample when it sees one. It bounds what any choice among the samples can score; the rates "
        "are not those of a method that one could deploy.",
        "The number of samples differs between models and problems. Within a model a test finds that it went "
        f"with the outcome in {told} of {models} models: nothing speaks against unbiased pass@k, though no test "
        "sees all.",
        "Beyond the samples there are two laws: exp(-a k^-b) by least squares on log(-log pass@k), the "
        f"beta-binomial by maximum likelihood. Models with {found.enough:,} samples of every problem or more "
        "tell which goes on rightly: samples are thinned without replacement, both laws fitted to what is left "
        "and asked for k up to all samples. The models share their problems, so that they are no independent "
        "evidence.",
    )


def _needed(found: Samples) -> Verdict:
    parts = [
        f"{numbers.quantity(tokens)} tokens 10^{text(one.log_k)}"
        for tokens, one in zip(found.tokens, found.rates.levels, strict=True)
    ]
    return Verdict(
        f"{found.model} reaches {numbers.percent(found.rates.at)} coverage with so many samples: after "
        f"{', '.join(parts)}.",
        "measured",
    )


def _rates(found: Samples) -> Verdict:
    rates = found.rates
    known = [rate.eta for rate in rates.rates if rate.eta is not None]
    parts = [
        f"{eta_shown(rate)} from {numbers.quantity(before)} to {numbers.quantity(after)}"
        for rate, before, after in zip(rates.rates, found.tokens, found.tokens[1:], strict=False)
    ]
    ends = [(e.low, e.high) for e in known if e.low is not None and e.high is not None]
    apart = len(ends) > 1 and max(low for low, _ in ends) > min(high for _, high in ends)
    return Verdict(
        f"One exchange rate serves the whole run at this coverage: eta is {', '.join(parts)} tokens.",
        "contradicted" if apart else "not identified",
    )


def _goes_on(one: Backtests) -> Verdict:
    best = min(LAWS, key=one.mean)
    errors = "; ".join(f"{NAMES[law]} {_range(one, law)}, {_range(one, law, largest=True)}" for law in LAWS)
    return Verdict(
        f"With {one.samples} kept, the {NAMES[best]} law goes on better on {one.wins(best)} of {len(one.found)} "
        f"models; mean absolute error in coverage over held-out k, and at the largest, by model: {errors}.",
        "measured",
    )


def _range(one: Backtests, law: str, largest: bool = False) -> str:
    """The mean over models, and from which model to which."""
    each = [found.last_error(law) if largest else found.mean_error(law) for found in one.found.values()]
    low, high = (numbers.plain(end, 2) for end in (min(each), max(each)))
    return f"{numbers.plain(one.mean(law, largest), 2)} ({low} to {high})"


def _table(found: Samples) -> Table:
    rows = []
    for at, (tokens, one) in enumerate(zip(found.tokens, found.rates.levels, strict=True)):
        rate = found.rates.rates[at] if at < len(found.rates.rates) else None
        free = None if rate is None else found.rates.unbiased[at]
        rows.append(
            {
                "tokens": tokens,
                "log10_k": one.log_k.value, "low": one.log_k.low, "high": one.log_k.high,
                "unbiased": "" if one.unbiased is None else numbers.plain(one.unbiased, 3),
                "extrapolated": "yes" if one.extrapolated else "no",
                "eta": "" if rate is None else eta_shown(rate),
                "eta_unbiased": "" if free is None else numbers.plain(free, 2),
                "status": "" if rate is None else rate.status,
            }
        )  # fmt: skip
    return Table(
        "coverage-rates",
        f"log10 of the samples for {numbers.percent(found.rates.at)} coverage, by the law and without one, and "
        "eta from each checkpoint to the next.",
        pd.DataFrame(rows),
        headings={"log10_k": "log10 k", "unbiased": "without a law", "eta_unbiased": "eta without a law"},
        formats={"tokens": numbers.quantity},
        estimates={"log10_k": ("low", "high")},
    )


def _held_out(one: Backtests, at: int) -> Table:
    rows = [
        {
            "model": name.replace("_", " "), "kept": b.kept, "up to": int(b.k[-1]), "coverage": float(b.unbiased[-1]),
            "squares": b.mean_error(LEAST_SQUARES), "likelihood": b.mean_error(LIKELIHOOD),
            "squares_bias": b.bias(LEAST_SQUARES), "likelihood_bias": b.bias(LIKELIHOOD),
        }
        for name, b in one.found.items()
    ]  # fmt: skip
    return Table(
        f"coverage-held-out-{at + 1}",
        f"With {one.samples} kept: mean absolute error over the k held out, and the signed error at the last k, "
        f"of least squares and of the beta-binomial; {one.left_out} models are left out, where some thinned "
        "counts hold too few right answers to fit.",
        pd.DataFrame(rows),
        headings={
            "squares": "squares", "likelihood": "beta",
            "squares_bias": "squares, last", "likelihood_bias": "beta, last",
        },
        formats=dict.fromkeys(("coverage", "squares", "likelihood", "squares_bias", "likelihood_bias"), _three)
        | {name: lambda count: f"{count:,}" for name in ("kept", "up to")},
    )  # fmt: skip


def _three(share: float) -> str:
    return f"{share:.3f}".replace("-", "−")


def _figure(found: Samples) -> Figure:
    fewest = [int(one.fit.n.min()) for one in found.rates.levels]
    law, free = [], []
    for tokens, one, samples in zip(found.tokens, found.rates.levels, fewest, strict=True):
        k = np.unique(np.append(np.geomspace(1, max(fewest), PLACES), samples))
        told = one.fit.pass_at(k, level=found.rates.level)
        law.append(
            pd.DataFrame({"tokens": tokens, "k": k, "law": told.value, "low": told.low, "high": told.high})
        )
        law[-1]["fewest"] = samples
        sizes = doublings(samples)
        shares = pass_at_k(one.fit.n, one.fit.c, sizes).mean(axis=0)
        free.append(pd.DataFrame({"tokens": tokens, "k": sizes, "unbiased": shares}))
    data = pd.concat([*law, *free], ignore_index=True)
    groups = Groups.of(data, "tokens", lambda tokens: f"{numbers.quantity(tokens)} tokens")

    def draw(axes: Axes) -> None:
        plots.scales(axes, "samples k", "coverage, pass@k", log="x")
        within, beyond = data[data["k"] <= data["fewest"]], data[data["k"] >= data["fewest"]]
        plots.curves(axes, within, "k", "law", low="low", high="high", groups=groups)
        plots.curves(axes, beyond, "k", "law", low="low", high="high", dashed=True, groups=groups)
        plots.points(axes, data, "k", "unbiased", groups=groups)
        plots.reference(axes, numbers.percent(found.rates.at), y=found.rates.at)
        plots.legend(axes)

    return Figure(
        "coverage-by-checkpoint",
        f"Coverage against samples for {found.model}: points are unbiased, lines the beta-binomial law with its "
        "interval, dashed above the samples of a problem.",
        draw,
        data,
        "Coverage rising with the number of samples, one curve a checkpoint, and a horizontal line.",
    )
