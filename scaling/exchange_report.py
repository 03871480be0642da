"""The report of the exchange rates of a user's own table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scaling.errors import FitError, InputError
from scaling.exchange import Exchange, Paired, Slices
from scaling.reporting.document import Report, Section, Table
from scaling.sections.exchange_buy import Terms, buy_section
from scaling.sections.exchange_curves import paired_section, slices_section
from scaling.sections.exchange_envelope import by_method, envelope_section
from scaling.sections.exchange_explore import explore_section
from scaling.sections.exchange_figures import figures
from scaling.sections.exchange_rates import rates_section
from scaling.sections.exchange_trust import equivalences_section, sensitivity_section, trust_section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from scaling.exchange.calibration import Coverage
    from scaling.exchange.design import Design


def report(
    found: Exchange | Paired | Slices,
    table: str,
    command: str,
    *,
    units: tuple[str, str] = ("train_flops", "infer_flops_per_problem"),
    volume: float | None = None,
    infer_price: float = 1.0,
    most_tokens: float | None = None,
    coverage: Sequence[Coverage] = (),
    conventions: tuple[pd.DataFrame, list[Exchange]] | None = None,
    methods: Mapping[str, Design] | None = None,
    others: Mapping[str, Exchange | str] | None = None,
) -> Report:
    """Return the report of measured rates; ``command`` and the table's hash are its provenance.

    ``units`` are those of training and of inference compute, ``conventions`` what ``exchange.sensitivity`` returns,
    ``methods`` the designs of all methods of the table, where it has several, and ``others`` the rates of
    the others, or why there are none.
    """
    if isinstance(found, Slices):
        sections: list[Section] = [slices_section(found)]
    elif isinstance(found, Paired):
        sections = [paired_section(found)]
    else:
        sections = _grid(
            found, units, Terms(volume, infer_price, most_tokens), coverage, conventions, _measured(others)
        )
        sections += _methods(methods or {}, found, others or {})
    return Report(
        title=f"exchange rate · {table}",
        question="What is inference compute worth in training compute?",
        sections=(*sections, _rows(found)),
        provenance={
            "table": table,
            "table (sha256)": found.sha256,
            "command": command,
            "version": found.to_json()["provenance"]["version"],
            **({} if isinstance(found, Slices) else {"seed": str(found.seed)}),
        },
        results={"exchange": found.to_json(command) | {"details": found.details()}},
    )


def _grid(
    found: Exchange,
    units: tuple[str, str],
    terms: Terms,
    coverage: Sequence[Coverage],
    conventions: tuple[pd.DataFrame, list[Exchange]] | None,
    others: Sequence[Exchange],
) -> list[Section]:
    made = [
        rates_section(found),
        Section("The surface", (), figures=figures(found, *units)),
        equivalences_section(found),
        buy_section(found, terms, units),
        explore_section(found, units, terms, [*((conventions or (None, []))[1] or [found]), *others]),
        trust_section(found, coverage),
        None if conventions is None or len(conventions[1]) < 2 else sensitivity_section(conventions[0]),
        _difficulty(found),
    ]
    return [section for section in made if section is not None]


def _measured(others: Mapping[str, Exchange | str] | None) -> list[Exchange]:
    return [one for one in (others or {}).values() if isinstance(one, Exchange)]


def _methods(
    designs: Mapping[str, Design], found: Exchange, others: Mapping[str, Exchange | str]
) -> list[Section]:
    """Rates by method, and the envelope over methods that share levels and problems; or why there is none."""
    if not others:
        return []
    reasons = [f"{name}: {one}" for name, one in others.items() if isinstance(one, str)]
    envelope: list[Section] = []
    try:
        envelope = [envelope_section(designs)]
    except InputError as error:
        reasons.append(f"no envelope of methods: {error}")
    return [by_method((found, *_measured(others)), reasons), *envelope]


def _difficulty(found: Exchange) -> Section | None:
    from scaling.exchange.difficulty import by_difficulty

    title = "Easy and hard problems"
    if found.design.problems < 2:
        return None
    try:
        rows = by_difficulty(found)
    except (InputError, FitError) as error:
        return Section(title, (f"No rates by difficulty: {error}.",))
    how = (
        "Problems by the column difficulty"
        if set(rows["part"]) <= set(found.design.stratum_names)
        else "Thirds of the problems by their mean score over all cells"
    )
    return Section(
        title,
        (f"{how}; each is asked at the middle of its own scores.",),
        tables=(
            Table(
                "difficulty",
                "η by difficulty.",
                rows,
                headings={"eta": "η", "at": "score"},
                estimates={"eta": ("low", "high")},
            ),
        ),
    )


def _rows(found: Exchange | Paired | Slices) -> Section:
    """The account of every row."""
    import pandas as pd

    rows: dict[str, Any] = found.to_json()["design"]["rows"]
    counts: dict[str, int] = {}
    for one in rows["excluded"]:
        counts[one["reason"]] = counts.get(one["reason"], 0) + 1
    frame = pd.DataFrame(
        [{"rows": rows["read"] - len(rows["excluded"]), "what": "used"}]
        + [{"rows": count, "what": reason} for reason, count in counts.items()]
    )
    return Section(
        "Rows", (f"{rows['read']} rows were read.",), tables=(Table("rows", "What became of them.", frame),)
    )
