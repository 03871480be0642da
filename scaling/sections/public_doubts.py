"""Public sets: what is identified and what is not, and which form of the law predicts beyond the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from scaling.reporting import numbers
from scaling.reporting.document import Section, Table, Verdict
from scaling.sections.law import UNSAFE
from scaling.sections.public import refits
from scaling.sections.refit import objective_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scaling.laws import Law
    from scaling.sections.public import Refit
    from scaling.study import Analysis

SAME_POINT = 1e-6
"""Relative rise of the objective within which printed digits are the lowest minimum."""
NEAR = 0.01
"""Relative difference of parameters within which two points are one minimum."""
MEANS = {
    "not_annealed": "checkpoints at a learning rate above 0: their loss lies above what the run can reach",
    "floor_not_identified": "a wide range of floors fits as well",
    "floor_at_zero": "the best fit has no floor",
    "few_clusters": "too few runs to draw from: the intervals are unreliable",
    "barely_identified": "a parameter whose interval spans a factor of ten, or whose near minima lie far apart",
    "competing_minima": "other local minima are nearly as low",
    "flat_valley": "the lowest objective is reached along a valley",
    "too_few_rows": "fewer than three rows a parameter",
    "draws_not_converged": "more than one draw in a hundred did not converge",
    "repeated_rows": "rows that repeat another to the last digit",
    "not_best_values": "swept values where the law is of the best ones",
    "few_draws": "fewer draws than the level of the intervals needs",
    "prior_decides": "the answer without the priors is another",
    "bound_hit": "a parameter is at an end of its range",
    "not_converged": "the answer is no minimum to full precision",
}
"""Codes of warnings in words."""


def identified(analysis: Analysis) -> Section:
    """Return the doubts by kind, and the tests against replicates."""
    found = refits(analysis)
    if not found:
        return Section("What is identified and what is not", ("No set with a customary law could be had.",))
    sure = [one for one in found if one.fit.status == "ok"]
    unsafe = [
        one
        for one in found
        if any(w.code in UNSAFE or w.code == "barely_identified" for w in one.fit.warnings)
    ]
    verdicts = [
        Verdict(
            f"{len(sure)} of {len(found)} fits raise no doubt about themselves. Exponents or shapes of these are not fixed "
            f"by their rows: {', '.join(one.name for one in unsafe) or 'none'}.",
            "not identified" if unsafe else "supported",
        )
    ]
    verdicts += _printed(found)
    tested = [one for one in found if one.lack is not None]
    tables = [*_warnings(found), *([_lack(tested)] if tested else [])]
    prose = ["A warning is a finding: it says what these runs cannot tell, whatever is fitted to them."]
    said = [f"- {one.name}: {warned.message}" for one in found for warned in one.fit.warnings]
    prose += ["\n".join(said)] if said else []
    if tested:
        missed = [one.name for one in tested if one.lack is not None and one.lack.p_value < 0.05]
        prose.append(
            "Where runs of the same inputs exist, the spread between them says how far a law may miss: it misses by more "
            f"(p < .05) on {', '.join(missed) or 'none'}."
        )
    return Section("What is identified and what is not", tuple(prose), tuple(verdicts), tables=tuple(tables))


def _printed(found: list[Refit]) -> list[Verdict]:
    """How far above the lowest objective the parameters lie that the sources printed, where they printed all."""
    parts = []
    for one in found:
        fit = one.fit
        known = {**fit.fixed, **one.known}
        names = fit.law.parameter_names()
        if not set(names) <= set(known):
            continue
        rise = objective_at(fit, type(fit.law)(**{name: known[name] for name in names})) / fit.value - 1
        if rise > SAME_POINT:
            rivals = [m for m in fit.minima[1:] if _near(m.law, known)]
            parts.append(
                f"{one.name} {numbers.percent(rise)}{', at another local minimum' if rivals else ''}"
            )
    if not parts:
        return []
    text = f"Where a source printed other parameters, they lie above the lowest objective by: {'; '.join(parts)}."
    return [Verdict(text, "measured")]


def _near(law: Law, known: Mapping[str, float]) -> bool:
    return all(abs(getattr(law, name) / known[name] - 1) < NEAR for name in law.parameter_names())


def _warnings(found: list[Refit]) -> list[Table]:
    sets: dict[str, list[str]] = {}
    for code, name in dict.fromkeys((warned.code, one.name) for one in found for warned in one.fit.warnings):
        sets.setdefault(code, []).append(name)
    rows = [
        {"code": code, "means": MEANS.get(code, "see above"), "fits": ", ".join(names)}
        for code, names in sorted(sets.items(), key=lambda item: -len(item[1]))
    ]
    return (
        [Table("warnings", "Warnings by kind, the most frequent first.", pd.DataFrame(rows))] if rows else []
    )


def _lack(tested: list[Refit]) -> Table:
    rows = [{"set": one.name} | one.lack.to_json() for one in tested if one.lack is not None]
    return Table(
        "lack-of-fit",
        "The law's misses against the spread of runs, at inputs that have several: F test on log residuals, normal theory.",
        pd.DataFrame(rows)[["set", "replicated", "F", "p_value", "spread_fit", "spread_replicates"]],
        headings={
            "replicated": "inputs",
            "p_value": "p",
            "spread_fit": "law misses by",
            "spread_replicates": "runs differ by",
        },
        formats={"p_value": lambda p: numbers.plain(float(p), 2)}
        | dict.fromkeys(("spread_fit", "spread_replicates"), lambda share: numbers.percent(float(share))),
    )


def beyond(analysis: Analysis) -> Section:
    """Return how the additive law and the p-norm predict beyond compute cuts, and the fits asked for held rows."""
    found = refits(analysis)
    both = [one for one in found if one.rollout is not None and len(one.rollout.ranking) > 1]
    wins: dict[str, list[str]] = {"chinchilla": [], "p_norm": [], "": []}
    for one in both:
        assert one.rollout is not None
        told = len(one.rollout.tied) == 1
        wins[one.rollout.chosen[0] if told else ""].append(one.name)
    verdicts = []
    if both:
        verdicts.append(
            Verdict(
                f"Beyond compute cuts the p-norm predicts better than the additive law on {len(wins['p_norm'])} of "
                f"{len(both)} sets, the additive law on {len(wins['chinchilla'])}, and {len(wins[''])} do not tell them "
                f"apart{': no form is the law of all sets' if wins['p_norm'] and wins['chinchilla'] else ''}.",
                "measured",
            )
        )
    held = [(one, *one.held) for one in found if one.held is not None]
    verdicts += [
        Verdict(
            f"{one.name} predicts the {count} rows that it is customarily asked for within {numbers.percent(rms, 3)} root "
            "mean square.",
            "measured",
        )
        for one, count, rms in held
    ]
    return Section(
        "Beyond the rows",
        (
            "Each set's runs below a cut are fitted and those above it predicted, by the additive law and by the p-norm, "
            "which contains it; intervals of the difference are from paired draws of the runs above. Sets that share rows "
            "count more than once.",
        ),
        tuple(verdicts),
        tables=(_forms(both),) if both else (),
    )


def _forms(both: list[Refit]) -> Table:
    rows = []
    for one in both:
        assert one.rollout is not None
        better = "not told" if len(one.rollout.tied) > 1 else one.rollout.chosen[0]
        cuts = len(one.rollout.cuts)
        rows.append(
            {
                "set": one.name,
                "cuts": cuts,
                "additive": one.score("chinchilla"),
                "p_norm": one.score("p_norm"),
                "better": better,
            }
        )
    return Table(
        "forms",
        "Root mean square error beyond the cuts, as a share of the loss, and which form the runs there tell to be better.",
        pd.DataFrame(rows),
        formats=dict.fromkeys(("additive", "p_norm"), lambda share: numbers.percent(float(share))),
        headings={"p_norm": "p-norm"},
    )
