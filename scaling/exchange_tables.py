"""Exchange rates of a user's own table: read, choose what the rows are, measure, and write the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from scaling.errors import InputError
from scaling.records.files import Given
from scaling.records.reading import Reading, read_table

if TYPE_CHECKING:
    from scaling.exchange import Exchange, Ledger, Paired, Slices
    from scaling.exchange.calibration import Coverage

    Measured: TypeAlias = Exchange | Paired | Slices


NO_SURFACE = (
    "what to buy needs a surface: a grid of at least 3 training levels x 3 budgets; leave --volume out"
)
NO_GRID = "--calibrate simulates a grid of training levels x budgets; slices and paired curves are none; leave it out"


@dataclass(frozen=True)
class Asked:
    """What the command line asks for."""

    method: str | None
    at: tuple[float, ...] | None
    k: tuple[int, ...] | None
    link: str | None
    surface: str
    mapping: Mapping[str, str]
    where: str | None
    from_name: str | None
    slices: tuple[str | None, str | None]
    within: tuple[float, ...] | None
    ledger: Ledger
    interval: str
    level: float
    bootstrap: int
    seed: int
    volume: float | None = None
    calibrate: bool = False
    most_tokens: float | None = None


def measure(path: Given, asked: Asked) -> Measured:
    """Return the rates of a file or files: of two slices, of two curves, or of a grid."""
    train, infer = asked.slices
    if (train is None) != (infer is None):
        raise InputError("give both --train-slice and --infer-slice, or neither")
    if train is not None and infer is not None:
        return _slices(path, asked, train, infer)
    if asked.within is not None:
        raise InputError("--within chooses rows of slices; give --train-slice and --infer-slice, or --where")
    reading = read_table(path, asked.mapping, asked.where, asked.from_name)
    _refuse_empty(reading, f"--where {asked.where!r}")
    return _grid(reading, asked)


def _grid(reading: Reading, asked: Asked) -> Measured:
    from scaling.exchange import exchange_paired, exchange_rate
    from scaling.exchange.table import METHODS, prepare

    common: dict[str, Any] = {
        "method": asked.method,
        "ledger": asked.ledger,
        "level": asked.level,
        "bootstrap": asked.bootstrap,
        "seed": asked.seed,
        "excluded": reading.excluded,
        "sha256": reading.sha256,
    }
    together = asked.method in METHODS[1:] and "method" not in reading.frame
    if not together or (asked.k is not None and len(set(asked.k)) == 2):
        prepared = prepare(reading.frame, asked.method, asked.k, seed=asked.seed)
        design = prepared.design(common["ledger"], unbounded=asked.link == "linear")
        if len(design.budgets) == 2:
            if asked.volume is not None:
                raise InputError(NO_SURFACE)
            if asked.calibrate:
                raise InputError(NO_GRID)
            if asked.surface != "free" or asked.interval != "jackknife":
                raise InputError(
                    "two budgets are paired curves, quadratic, with an interval of their own; leave --surface "
                    "and --interval out"
                )
            link = "logit" if asked.link is None else asked.link
            at = asked.at or _middle(design.means)
            return exchange_paired(reading.frame, at=at, k=asked.k, link=link, **common)
    if asked.most_tokens is not None and "tokens" not in reading.frame:
        raise InputError(
            "--most-tokens caps a column tokens, one after the other, and the table has none; give --map tokens=EXPR"
        )
    common["interval"] = asked.interval
    return exchange_rate(
        reading.frame, at=asked.at, k=asked.k, link=asked.link, surface=asked.surface, **common
    )


def _middle(means: Any) -> list[float]:
    """The middle of the scores that both curves reach."""
    import numpy as np

    low, high = float(np.nanmin(means, axis=0).max()), float(np.nanmax(means, axis=0).min())
    return [round(low + part * (high - low), 2) for part in (0.25, 0.5, 0.75)]


def _slices(path: Given, asked: Asked, train: str, infer: str) -> Slices:
    from scaling.exchange import Ledger, exchange_slices

    ignored = {
        "--method": asked.method is not None,
        "--k": asked.k is not None,
        "--at": asked.at is not None,
        "--surface": asked.surface != "free",
        "--interval": asked.interval != "jackknife",
        "--train, --verifier, --prefill, --currency": asked.ledger != Ledger(),
    }
    if given := [name for name, there in ignored.items() if there]:
        raise InputError(f"slices are two lines through scores as given, at all scores; leave {given[0]} out")
    readings = [
        read_table(
            path,
            asked.mapping,
            one if asked.where is None else f"({asked.where}) and ({one})",
            asked.from_name,
        )
        for one in (train, infer)
    ]
    for reading, option, condition in zip(
        readings, ("--train-slice", "--infer-slice"), (train, infer), strict=True
    ):
        _refuse_empty(reading, f"{option} {condition!r}")
    first, second = readings
    used = set(first.frame.index) | set(second.frame.index)
    left = tuple((row, "in neither slice") for row, _ in first.excluded if row not in used)
    return exchange_slices(
        first.frame,
        second.frame,
        link=asked.link or "linear",
        within=_two(asked.within),
        level=asked.level,
        read=first.read,
        excluded=left,
        sha256=first.sha256,
    )


def _two(within: tuple[float, ...] | None) -> tuple[float, float] | None:
    if within is None:
        return None
    if len(within) != 2 or not within[0] < within[1]:
        raise InputError("--within takes two scores, the lower first, such as .33,.69")
    return within[0], within[1]


def _refuse_empty(reading: Reading, what: str) -> None:
    if reading.frame.empty:
        raise InputError(f"{what} keeps none of the {reading.read} rows; loosen it")


def ledger(**choices: Any) -> Ledger:
    """Return what is counted; InputError for a choice that there is not."""
    from scaling.exchange import Ledger

    return Ledger(**choices)


def check_scores(at: tuple[float, ...] | None, link: str | None) -> None:
    """Refuse scores that no share can have."""
    for one in at or ():
        if one != one or (link != "linear" and not 0 < one < 1):
            raise InputError(
                f"--at {one:g}: expected a share between 0 and 1 (50 % is .5), or --link linear for other scales"
            )


def check_purchase(
    volume: float | None, infer_price: float | None, most_tokens: float | None, calibrate: bool, slices: bool
) -> None:
    """Refuse prices and volumes that mean nothing, and what two slices do not give, before the work."""
    from scaling.fitting import checks

    if infer_price is not None:
        checks.number("--infer-price", infer_price)
        if volume is None:
            raise InputError("--infer-price is of what is bought for a volume; give --volume too")
    if slices and volume is not None:
        raise InputError(NO_SURFACE)
    if slices and calibrate:
        raise InputError(NO_GRID)
    if volume is not None:
        checks.number("--volume", volume, " of problems")
    if most_tokens is not None:
        checks.number("--most-tokens", most_tokens)
        if volume is None:
            raise InputError("--most-tokens caps what is bought for a volume; give --volume too")


def as_text(found: Measured, command: str) -> str:
    """Return the rates as JSON of schema scaling.exchange/1."""
    return json.dumps(_finite(found.to_json(command)), indent=1, allow_nan=False, default=str) + "\n"


def _finite(value: Any) -> Any:
    """Nested values with infinities and NaN as null, and numpy's numbers as Python's."""
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not -float("inf") < value < float("inf") else value


def bought(found: Measured, volume: float, infer_price: float, most_tokens: float | None) -> str:
    """Return what to buy for a lifetime of problems at each score, a line each."""
    from scaling.exchange import Exchange
    from scaling.exchange.purchase import purchase_lines

    if not isinstance(found, Exchange):
        raise InputError(NO_SURFACE)
    return "\n".join(purchase_lines(found, volume, infer_price=infer_price, most_tokens=most_tokens))


def coverage(found: Measured, seed: int) -> tuple[Coverage, ...]:
    """Return the coverage of a grid's intervals at its own design."""
    from scaling.exchange import Exchange
    from scaling.exchange.calibration import calibrate

    if not isinstance(found, Exchange):
        raise InputError(NO_GRID)
    return calibrate(found, seed=seed)


def coverage_text(covered: Sequence[Coverage], level: float) -> str:
    """Return coverage as a table for a terminal."""
    from scaling.exchange.calibration import calibration_summary

    return calibration_summary(covered, level)
