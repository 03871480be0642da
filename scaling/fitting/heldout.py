"""The test that a law must pass before it is believed beyond the data: fit below a cut, predict above it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scaling.errors import InputError
from scaling.fitting import checks
from scaling.fitting.fitted import asked, fit
from scaling.fitting.result import Fit
from scaling.fitting.rows import rows_of
from scaling.laws import Law
from scaling.laws.base import Array

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Holdout:
    """A fit on the rows below a compute cut, and what it says of the rows above."""

    cut_C: float
    """Rows with C up to here were fitted [FLOP]."""
    fit: Fit
    """The fit below the cut."""
    frame: "pd.DataFrame"
    """Rows above the cut, all their columns and: predicted, low, high (with draws), error and log_error.

    error = predicted - measured loss; its exponential is the ratio of perplexities, and log_error is
    log predicted - log measured. Positive: the law was too pessimistic.
    """

    @property
    def errors(self) -> Array:
        """Predicted minus measured loss, signed, (m,)."""
        errors: Array = self.frame["error"].to_numpy(dtype=np.float64)
        return errors

    @property
    def mean_error(self) -> float:
        """Mean signed error in loss: a bias."""
        return float(np.mean(self.errors))

    @property
    def rms_error(self) -> float:
        """Root mean square error in loss."""
        return float(np.sqrt(np.mean(self.errors**2)))

    def to_json(self) -> dict[str, Any]:
        """The cut, the errors beyond it and the fit below it, for programs."""
        errors = {"mean": self.mean_error, "rms": self.rms_error, "perplexity_ratio": self.perplexity_ratio}
        return {"cut_C": self.cut_C, "rows": len(self.frame), "error": errors, "fit": self.fit.to_json()}

    @property
    def perplexity_ratio(self) -> float:
        """Predicted over measured perplexity where the loss is in nats: the exponential of mean_error."""
        return float(np.exp(self.mean_error))


def holdout(law: str | type[Law], frame: "pd.DataFrame", cut_C: float, **options: Any) -> Holdout:
    """Fit on rows with C <= cut_C and predict the rest; `options` are those of `fit`.

    Raises InputError for what `fit` refuses, and when no usable row lies above the cut or the table gives no C; FitError
    when too few lie below.
    """
    law = asked(law, frame, "holdout({law}, frame, cut_C)")
    cut_C = checks.number("cut_C", cut_C, " of FLOPs")
    rows = rows_of(law, frame, excluded=options.pop("excluded", ()), also=("C",))
    if rows.C is None:
        raise InputError("a cut in C needs a column C, or N and D")
    above = np.greater(rows.C, cut_C)
    if not above.any():
        raise InputError(f"no usable row lies above C = {cut_C:g}; the largest has {rows.C.max():g}")
    fitted = fit(law, rows.frame.loc[~above], excluded=rows.excluded, **options)
    inputs: dict[str, Any] = {name: values[above] for name, values in rows.inputs.items()}
    predicted = fitted.predict(**inputs)
    measured = rows.loss[above]
    columns = {
        "predicted": predicted.value,
        "error": predicted.value - measured,
        "log_error": np.log(predicted.value) - np.log(measured),
    }
    if predicted.low is not None and predicted.high is not None:
        columns |= {"low": predicted.low, "high": predicted.high}
    return Holdout(cut_C=cut_C, fit=fitted, frame=rows.frame.loc[above].assign(**columns))
