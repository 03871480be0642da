"""Public sets by two methods: isoFLOP optima against the law, and the best learning rate and batch by several rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from scaling.reporting import numbers
from scaling.reporting.document import Section, Table, Verdict
from scaling.sections.law import text
from scaling.sections.public import forest

if TYPE_CHECKING:
    from scaling.fitting import Estimate, Fit, IsoflopFit
    from scaling.reporting.document import Status
    from scaling.study import Analysis


@dataclass(frozen=True)
class Methods:
    """The exponent of the best size of one experiment by two methods."""

    name: str
    """The experiment."""
    isoflop: IsoflopFit
    """Parabolas and the power law through their optima."""
    law: Fit
    """The law fitted to the same rows."""
    imitated: float
    """What the parabolas find in the law's own losses at the same rows: off the law's exponent by the parabola's shape."""

    @property
    def agreement(self) -> str:
        """`agree` where each estimate lies in the other's interval, `disagree` where the intervals are apart."""
        one, other = self.isoflop.derived["N_exponent"], self.law.derived["N_exponent"]
        if _holds(one, other.value) and _holds(other, one.value):
            return "agree"
        ends = [(e.low, e.high) for e in (one, other) if e.low is not None and e.high is not None]
        apart = len(ends) == 2 and max(low for low, _ in ends) > min(high for _, high in ends)
        return "disagree" if apart else "cannot tell"

    def to_json(self) -> dict[str, Any]:
        """The isoFLOP fit and the comparison; the law is among the fits."""
        return {"isoflop": self.isoflop.to_json(), "imitated": self.imitated, "agreement": self.agreement}


@dataclass(frozen=True)
class Rule:
    """An exponent of the best learning rate or batch size, by one way to read the best values off the sweeps."""

    name: str
    """The set."""
    quantity: str
    """What the exponent is of, in words."""
    rule: str
    """How the best values were read, in words."""
    sweeps: int
    """Sweeps with an optimum inside."""
    left_out: tuple[str, ...]
    """Why the others have none."""
    found: Estimate
    """The exponent."""
    published: float | None
    """The authors', where it is of the same quantity."""

    def to_json(self) -> dict[str, Any]:
        """Its fields, for programs."""
        return {**vars(self), "found": self.found.to_json()}


@dataclass(frozen=True)
class Rules:
    """All rules, and what the authors' own draws say."""

    found: tuple[Rule, ...]
    """By set, quantity and rule; the customary rule is the one the overview has."""
    authors: Mapping[str, Estimate]
    """Quantity to the mean and the central 95 % of the authors' own fits."""

    def to_json(self) -> dict[str, Any]:
        """Both, for programs."""
        return {
            "rules": [rule.to_json() for rule in self.found],
            "authors": {name: e.to_json() for name, e in self.authors.items()},
        }


def isoflops(analysis: Analysis) -> Section:
    """Return the exponent of the best size by parabolas and by the law, on the same experiments."""
    found = [one for one in analysis.fits.values() if isinstance(one, Methods)]
    if not found:
        return Section("IsoFLOP optima against the law", ("No isoFLOP experiment could be had.",))
    estimates: dict[str, Estimate] = {}
    for one in found:
        estimates |= {
            f"{one.name} optima": one.isoflop.derived["N_exponent"],
            f"{one.name} law": one.law.derived["N_exponent"],
        }
    return Section(
        "IsoFLOP optima against the law",
        (
            "The exponent a of the best size, N ~ C^a, by a line through the optima of parabolas and by the law, on the "
            "same rows. They agree where each estimate lies in the other's interval and disagree where the intervals are "
            "apart. A parabola is symmetric and the law's curve is not, and not every budget is 6 N D, which the law's "
            "exponent takes for granted. So the third column fits the same parabolas, at the same rows and budgets, to the "
            "law's own losses: what it is off the law's exponent is the method's doing and not the data's.",
            "llama_3__exp_loss and llama_3__raw_loss are the same runs, one loss the exponential of the other: an additive "
            "law can hold for one of them at most, while the best sizes are the same.",
        ),
        (_agreement(found), *_shape(found)),
        (forest("methods", "a in N ~ C^a", estimates, {"1/2": 0.5}),),
        (_methods(found),),
    )


def _agreement(found: list[Methods]) -> Verdict:
    names = {
        word: [one.name for one in found if one.agreement == word]
        for word in ("agree", "cannot tell", "disagree")
    }
    status: Status = (
        "supported"
        if len(names["agree"]) == len(found)
        else "contradicted"
        if names["disagree"]
        else "not identified"
    )
    parts = []
    for word, group in names.items():
        named = f" ({', '.join(group)})" if group and word != "agree" else ""
        verb = f"{word}s" if len(group) == 1 and word != "cannot tell" else word
        parts.append(f"{len(group)} {verb}{named}")
    return Verdict(
        f"Parabolas and the law find the same exponent of the best size: of {len(found)} experiments {'; '.join(parts)}.",
        status,
    )


def _shape(found: list[Methods]) -> list[Verdict]:
    """Experiments whose methods do not agree, and how much of that the method makes."""
    parts = []
    for one in found:
        if one.agreement != "agree":
            optima, law = one.isoflop.derived["N_exponent"].value, one.law.derived["N_exponent"].value
            parts.append(f"{one.name} {numbers.percent((one.imitated - law) / (optima - law))}")
    if not parts:
        return []
    return [
        Verdict(
            "Where they do not agree, this share of the difference is there in the law's own losses too, so that the method "
            f"makes it and not the data: {', '.join(parts)}.",
            "measured",
        )
    ]


def _methods(found: list[Methods]) -> Table:
    rows = []
    for one in found:
        optima, law = one.isoflop.derived["N_exponent"], one.law.derived["N_exponent"]
        inside = sum(b.status == "interior" for b in one.isoflop.budgets)
        rows.append(
            {
                "experiment": one.name,
                "budgets": f"{inside} of {len(one.isoflop.budgets)}",
                "optima": optima.value, "optima_low": optima.low, "optima_high": optima.high,
                "law": law.value, "law_low": law.low, "law_high": law.high,
                "imitated": one.imitated,
                "verdict": one.agreement,
                "refused": "; ".join(w.message for w in one.isoflop.warnings),
            }
        )  # fmt: skip
    return Table(
        "methods-table",
        "The exponent of the best size by isoFLOP optima (budgets with an optimum inside) and by the law.",
        pd.DataFrame(rows),
        headings={"optima": "by optima", "law": "by the law", "imitated": "parabolas through the law"},
        formats={"imitated": lambda a: numbers.plain(float(a), 3)},
        estimates={name: (f"{name}_low", f"{name}_high") for name in ("optima", "law")},
    )


def hyperparameters(analysis: Analysis) -> Section:
    """Return the exponents of the best learning rate and batch size by several rules, beside the authors'."""
    title = "Best learning rate and batch size"
    rules: Rules = analysis.fits["rules"]
    if not rules.found:
        return Section(title, ("No sweep could be had.",))
    verdicts = [_compared(name, rules) for name in dict.fromkeys(rule.name for rule in rules.found)]
    left = sorted({f"{rule.name} by {rule.rule}: {why}" for rule in rules.found for why in rule.left_out})
    lines = (
        ("Sweeps without an optimum inside, which no law rests on:", "\n".join(f"- {one}" for one in left))
        if left
        else ()
    )
    return Section(
        title,
        (
            "Each pair of N and D has a sweep of learning rates and batch sizes, and the law is fitted to the best values "
            "of the sweeps, by least squares of logarithms. How the best values are read is a choice: the run of lowest "
            "loss, or the lowest point of a paraboloid through the runs near it. Far from the optimum the loss rises faster "
            "at large rates, which pulls the paraboloid; near it, noise does. The mixtures of experts have nearly one total "
            "size, so N is the active one there, and their exponent of N is not the authors'.",
            *lines,
        ),
        tuple(verdicts),
        tables=(_rules(rules),),
    )


def _compared(name: str, rules: Rules) -> Verdict:
    """Whether a set bears the authors' exponents out, whatever the rule."""
    parts, held = [], []
    for quantity in dict.fromkeys(rule.quantity for rule in rules.found if rule.name == name):
        found = [rule for rule in rules.found if (rule.name, rule.quantity) == (name, quantity)]
        low, high = (pick(rule.found.value for rule in found) for pick in (min, max))
        part = f"{quantity} from {numbers.plain(low, 3)} to {numbers.plain(high, 3)} by {len(found)} rules"
        if (published := found[0].published) is not None:
            inside = [_holds(rule.found, published) for rule in found]
            held += inside
            part += (
                f" (theirs, {numbers.plain(published, 3)}, inside {sum(inside)} of {len(inside)} intervals)"
            )
        parts.append(part)
    status: Status = "supported" if all(held) else "not identified" if any(held) else "contradicted"
    return Verdict(f"{name} bears the authors' exponents out: {'; '.join(parts)}.", status)


def _rules(rules: Rules) -> Table:
    rows = []
    for rule in sorted(rules.found, key=lambda rule: (rule.name, rule.quantity)):
        authors = rules.authors.get(rule.quantity) if rule.published is not None else None
        rows.append(
            {
                "set": rule.name, "exponent": rule.quantity, "best values": rule.rule, "sweeps": rule.sweeps,
                "ours": rule.found.value, "low": rule.found.low, "high": rule.found.high,
                "published": "" if rule.published is None else numbers.plain(rule.published, 3),
                "authors": "" if authors is None else text(authors),
            }
        )  # fmt: skip
    return Table(
        "rules",
        "Exponents by how the best values were read off the sweeps, as published, and the mean and central 95 % of the "
        "authors' own fits.",
        pd.DataFrame(rows),
        headings={"authors": "authors' fits"},
        estimates={"ours": ("low", "high")},
    )


def _holds(found: Estimate, value: float) -> bool:
    return found.low is not None and found.high is not None and found.low <= value <= found.high
