"""Public marks of four systems: a small model with a verifier in place of a large one without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from scaling.exchange.substitution import Substitution, share_right, substitution
from scaling.reporting import numbers
from scaling.reporting.document import Section, Table, Verdict
from scaling.sections.law import text

if TYPE_CHECKING:
    from scaling.fitting import Estimate
    from scaling.reporting.document import Status
    from scaling.study import Analysis

TITLE = "Samples and a verifier against a larger model"
SMALL, LARGE, SAMPLES = 6e9, 175e9, 100
"""Parameters of two models, and solutions that a verifier chooses from: Cobbe et al. 2021 (arXiv:2110.14168), section 4."""
SYSTEMS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
LEVEL = 0.95


@dataclass(frozen=True)
class Verified:
    """A small model with samples and a verifier, and a large one with one sample."""

    name: str
    """The set."""
    problems: int
    """Problems that all systems answered."""
    shares: Mapping[str, Estimate]
    """System to its share right."""
    characters: Mapping[str, float]
    """System to the mean length of the solution that it gives."""
    small: str
    """The small system, with the verifier."""
    large: str
    """The large one, without."""
    parameters: tuple[float, float]
    """Of the small model and the large one."""
    samples: int
    """Solutions that the verifier chooses from."""
    bills: Mapping[str, Substitution]
    """What is counted as inference, in words, to the comparison under that bill."""
    level: float
    """Nominal coverage of the intervals."""
    sha256: str
    """Hash of the file."""

    def to_json(self) -> dict[str, Any]:
        """sha256, problems, shares, mean_characters, parameters, samples, bills: one Substitution each."""
        return {
            "sha256": self.sha256,
            "problems": self.problems,
            "shares": {system: share.to_json() for system, share in self.shares.items()},
            "mean_characters": dict(self.characters),
            "parameters": list(self.parameters),
            "samples": self.samples,
            "bills": {bill: found.to_json() for bill, found in self.bills.items()},
        }


def verified(name: str, marks: pd.DataFrame, _draws: int, sha256: str) -> Verified:
    """Return the small model with a verifier against the large one without: marks and lengths by system, a row a problem."""
    small, large = SYSTEMS[1], SYSTEMS[2]
    written = SAMPLES * SMALL / LARGE
    bills = {"the samples alone": written, "the samples and the verifier": 2 * written}
    return Verified(
        name=name,
        problems=len(marks),
        shares={system: share_right(marks[system], LEVEL) for system in SYSTEMS},
        characters={system: float(marks[f"{system}_chars"].mean()) for system in SYSTEMS},
        small=small,
        large=large,
        parameters=(SMALL, LARGE),
        samples=SAMPLES,
        bills={
            bill: substitution(
                marks[small], marks[large], train_ratio=LARGE / SMALL, infer_ratio=ratio, level=LEVEL
            )
            for bill, ratio in bills.items()
        },
        level=LEVEL,
        sha256=sha256,
    )


def verifier(analysis: Analysis) -> Section:
    """Return the shares right, the paired difference and the lower end of eta by bill, with every assumption."""
    found = next((one for one in analysis.fits.values() if isinstance(one, Verified)), None)
    if found is None:
        return Section(TITLE, ("No marks of systems with a verifier could be had.",))
    return Section(
        TITLE, _prose(found), (_better(found), _rate(found)), tables=(_shares(found), _bills(found))
    )


def _prose(found: Verified) -> tuple[str, ...]:
    small, large = (numbers.quantity(size) for size in found.parameters)
    lengths = [found.characters[system] for system in (found.small, found.large)]
    assumed = (
        f"training costs parameters times tokens, and both models saw equally many tokens: the larger took "
        f"{large} / {small} times the training",
        "what made the verifier (its training, and the solutions it learnt from) and fine-tuning are not in the bill",
        f"an answer costs parameters times its tokens, and solutions are equally long: those given have {lengths[0]:.0f} "
        f"and {lengths[1]:.0f} characters on average; reading the problem is left out",
        f"the small model writes {found.samples} solutions, the large one writes one",
        "the verifier is a second model of the small size that reads each solution once, and reading a token costs what "
        "writing one does",
        "one run of each model: the interval is of problems, drawn from many such, and other seeds may differ",
        "eta is the mean rate on the way from one system to the other, and need not be that at either end",
    )
    return (
        f"Right or wrong of four systems on the same {found.problems:,} problems ({found.name}). If a small "
        "model with much inference is at least as good as a large one with little, the inference has replaced "
        "the training between them: eta >= log10(training ratio) / log10(inference ratio). It is a lower end, "
        "since where the small one is better less inference would have done. A verifier can be deployed, "
        "unlike an oracle.",
        "Assumed:",
        "\n".join(f"- {one}" for one in assumed),
    )


def _better(found: Verified) -> Verdict:
    difference = next(iter(found.bills.values())).difference
    low, high = difference.low, difference.high
    assert low is not None
    assert high is not None
    points = numbers.estimate(100 * difference.value, 100 * low, 100 * high)
    status: Status = "supported" if low > 0 else "contradicted" if high < 0 else "not identified"
    return Verdict(
        f"{_words(found.small)} is better than {_words(found.large)}: by {points} points ({100 * found.level:g} "
        "% interval, paired by problem).",
        status,
    )


def _rate(found: Verified) -> Verdict:
    parts = [f"{_at_least(one)} with {bill} counted" for bill, one in found.bills.items()]
    known = all(one.rate.eta is not None for one in found.bills.values())
    return Verdict(
        f"In place of the larger model's training, samples and a verifier are worth eta {', '.join(parts)} (one-sided).",
        "measured" if known else "not identified",
    )


def _shares(found: Verified) -> Table:
    rows = [
        {"system": _words(system), "right": text(share), "characters": found.characters[system]}
        for system, share in found.shares.items()
    ]
    return Table(
        "verifier-shares",
        f"Share of the problems right ({100 * found.level:g} % intervals over problems), and the mean length of solutions.",
        pd.DataFrame(rows),
        formats={"characters": lambda length: f"{length:.0f}"},
    )


def _bills(found: Verified) -> Table:
    rows = [
        {
            "inference counted": bill,
            "training_ratio": one.train_ratio,
            "inference_ratio": one.infer_ratio,
            "eta": _at_least(one),
            "status": one.rate.status,
        }
        for bill, one in found.bills.items()
    ]
    one = next(iter(found.bills.values()))
    return Table(
        "verifier-bills",
        f"The lower end of eta by what is counted as inference; {one.only_cheap} problems are right for the small system "
        f"alone, {one.only_dear} for the large one alone.",
        pd.DataFrame(rows),
        headings={"training_ratio": "training ratio", "inference_ratio": "inference ratio"},
        formats=dict.fromkeys(("training_ratio", "inference_ratio"), lambda x: numbers.plain(float(x), 3)),
    )


def _at_least(one: Substitution) -> str:
    """The lower end, which follows from the bill alone, to three digits."""
    eta = one.rate.eta
    return one.rate.status if eta is None or eta.low is None else f"at least {numbers.plain(eta.low, 3)}"


def _words(system: str) -> str:
    """`6b_verification` as a reader has it."""
    size, _, kind = system.partition("_")
    return f"{size.upper()} {'with' if kind == 'verification' else 'without'} a verifier"
