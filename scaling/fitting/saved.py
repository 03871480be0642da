"""A fit as a file: its JSON, and beside it the draws from which later predictions take their intervals.

The draws' file also says how runs scatter, which ranges the rows span, and for BCa intervals the fits without each unit, in
its metadata.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling import laws
from scaling.errors import InputError
from scaling.fitting import checks
from scaling.fitting.derived import derived, ends
from scaling.fitting.noise import Noise
from scaling.fitting.parts import Estimate, Warned
from scaling.records.store import write_together
from scaling.reporting.numbers import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scaling.fitting.result import Fit
    from scaling.laws import Law
    from scaling.laws.base import Array

SCHEMA = "scaling.fit/1"


def draws_path(path: Path) -> Path:
    """Return where the draws of the fit in a JSON file stand: FIT.json has FIT.draws.parquet."""
    return path.with_name(f"{path.stem}.draws.parquet")


def save(path: Path, fit: Fit, command: str | None = None) -> None:
    """Write a fit as JSON of schema scaling.fit/1, and its draws, if it has any, beside it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = json.dumps(fit.to_json(command), indent=1, allow_nan=False) + "\n"
    contents = {path: text.encode()}
    beside = draws_path(path)
    own = not path.exists() or path.is_file()  # a pipe or a device has no place beside it
    if own and len(fit.draws):
        names, stream = fit.law.parameter_names(), io.BytesIO()
        columns = {name: fit.draws[:, k] for k, name in enumerate(names)}
        mark = {"fit": hashlib.sha256(text.encode()).hexdigest(), "ranges": json.dumps(_ranges(fit))}
        if fit.objective.loss != "binomial":
            mark["noise"] = json.dumps(Noise.of(fit).to_json())
        if fit.jackknife is not None:
            mark["jackknife"] = json.dumps(fit.jackknife.tolist())
        pq.write_table(pa.table(columns).replace_schema_metadata(mark), stream)
        contents[beside] = stream.getvalue()
    write_together(contents)
    if own and not len(fit.draws):
        beside.unlink(missing_ok=True)  # of a fit that was here before


def _ranges(fit: Fit) -> dict[str, tuple[float, float]]:
    """Smallest and largest value of each input, and of the compute C where it is known."""
    columns = fit.rows.inputs | ({} if fit.rows.C is None else {"C": fit.rows.C})
    known = {name: values[np.isfinite(values) & (values > 0)] for name, values in columns.items()}
    return {name: (float(v.min()), float(v.max())) for name, v in known.items() if v.size}


@dataclass(frozen=True)
class SavedFit:
    """A fit read back."""

    law: Law
    """The fitted law."""
    draws: Array
    """Parameters of each draw, (B, P); (0, P) where the draws are not there."""
    level: float
    """Nominal coverage of its intervals."""
    method: str
    """How its intervals are made, in words."""
    status: str
    """`ok` or `doubtful`."""
    warnings: tuple[Warned, ...]
    """What was to doubt when it was fitted."""
    noise: Noise | None = None
    """How runs scatter about the law; None where the draws are not there, or the law is of a score with its trials."""
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Smallest and largest value of each input and of C among the rows; empty where the draws are not there."""
    jackknife: Array | None = None
    """Parameters without each unit, (U, P), where the fit's intervals are BCa."""

    def beyond(self, inputs: Mapping[str, float]) -> list[str]:
        """Return how far each of the inputs, or C, lies beyond the rows, in words; nothing for those within."""
        found = []
        for name, number in inputs.items():
            low, high = self.ranges.get(name, (0.0, math.inf))
            end, which = (high, "largest") if number > high else (low, "smallest")
            if not low <= number <= high:
                decades = abs(float(np.log10(number / end)))
                found.append(
                    f"{name} = {plain(number)} lies {plain(decades, 2)} decades beyond the {which} of the rows, "
                    f"{plain(end, 3)}"
                )
        return found

    def predict(self, inputs: Mapping[str, float], *, new_run: bool = False) -> Estimate:
        """Return what the law says at one value of each input, with the interval of the law.

        An infinite input is the law's limit. With `new_run` the interval is that of a further run there; none where the
        noise is not known.
        """
        if wrong := [name for name, number in inputs.items() if not number > 0]:
            raise InputError(f"{wrong[0]} is {inputs[wrong[0]]:g}; give a positive number")
        value = float(self.law.predict(**inputs))
        if not len(self.draws) or (new_run and self.noise is None):
            return Estimate(value)
        columns = {name: np.array([number]) for name, number in inputs.items()}
        drawn = type(self.law).from_values(self.draws).predict(**columns)
        if new_run and self.noise is not None:
            low, high = self.noise.ends(drawn, self.level)
            return Estimate(value, float(low[0]), float(high[0]))
        law = type(self.law)
        without = None if self.jackknife is None else law.from_values(self.jackknife).predict(**columns)
        low, high = ends(np.array([value]), drawn, self.level, without)
        return Estimate(value, float(low[0]), float(high[0]), float(np.nanstd(drawn, ddof=1)))

    def at_compute(self, compute: float, inference: float | None = None) -> dict[str, Estimate]:
        """Return the optimum for a training compute [FLOP], and the cheapest model to serve; see `derived`."""
        if not isinstance(self.law, laws.LossInND):
            raise InputError(
                f"{self.law.name} has no best N and D for a compute; predict at its inputs with --at"
            )
        for name, number in (("compute", compute), ("inference", 1.0 if inference is None else inference)):
            checks.number(name, number)
        return derived(
            type(self.law),
            self.law.values(),
            self.draws,
            compute,
            self.level,
            self.jackknife,
            inference,
        )


def load(path: Path) -> SavedFit:
    """Read what ``save`` wrote; ``InputError`` names a file that is none of ours."""
    try:
        text = path.read_text(encoding="utf-8")
        body: dict[str, Any] = json.loads(text)
        if body["schema"] != SCHEMA:
            raise InputError(
                f"{path} has schema {body['schema']!r}, expected {SCHEMA!r}; fit again with --json"
            )
        law = laws.find(body["law"])
        values = [
            math.nan if (v := body["parameters"][name]["value"]) is None else float(v)
            for name in law.parameter_names()
        ]
        fitted = law.from_values(values)
        interval = body["interval"]
        level, method = float(interval["level"]), interval["method"] or ""
        status = str(body["status"])
        warnings = tuple(Warned(str(one["code"]), str(one["message"])) for one in body["warnings"])
    except FileNotFoundError as error:
        raise InputError(
            f"{path} does not exist; write a fit with `scaling fit ... --json {path}`"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path} is no saved fit ({type(error).__name__}: {error}); write one with scaling fit --json"
        ) from error
    if not 0 < level < 1:
        raise InputError(
            f"{path} is no saved fit (its level is {level:g}); write one with scaling fit --json"
        )
    alone = SavedFit(fitted, np.empty((0, len(values))), level, method, status, warnings)
    return _with_draws(alone, path, text)


def _with_draws(found: SavedFit, path: Path, text: str) -> SavedFit:
    """The fit with the draws beside its JSON file and all that stands there, if that belongs to it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    law = type(found.law)
    beside = draws_path(path)
    if not beside.is_file():
        return found
    try:
        table = pq.read_table(beside)
        marks = table.schema.metadata or {}
        if marks.get(b"fit", b"").decode() != hashlib.sha256(text.encode()).hexdigest():
            return found
        noise = json.loads(marks.get(b"noise", b"null"))
        ranges = json.loads(marks.get(b"ranges", b"{}"))
        without = json.loads(marks.get(b"jackknife", b"null"))
        names = law.parameter_names()
        return replace(
            found,
            draws=np.column_stack([table[name].to_numpy() for name in names]).astype(float),
            noise=noise
            and Noise(noise["residual"], np.array(noise["values"], dtype=np.float64), law.target == "score"),
            ranges={str(name): (float(low), float(high)) for name, (low, high) in ranges.items()},
            jackknife=without and np.array(without, dtype=np.float64).reshape(-1, len(names)),
        )
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{beside} is damaged ({error}); delete it for values without intervals, or fit again"
        ) from error
