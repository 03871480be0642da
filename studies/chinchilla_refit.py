"""The points of Hoffmann et al. 2022, figure 4, by every estimator: which published numbers do they bear out?"""

from dataclasses import dataclass

import pandas as pd

from scaling import diagnostics, fitting
from scaling.catalogue import dataset
from scaling.records.tables import Records
from scaling.sections import refit
from scaling.study import Preset, Study

PUBLISHED = {
    "Hoffmann et al. 2022": {
        "E": 1.69,
        "A": 406.4,
        "B": 410.7,
        "alpha": 0.3392,
        "beta": 0.2849,
        "N_exponent": 0.4565,
    },
    "Besiroglu et al. 2024": {
        "E": 1.8172,
        "A": 482.01,
        "B": 2085.43,
        "alpha": 0.3478,
        "beta": 0.3658,
        "N_exponent": 0.5126,
    },
}
"""Approach 3 of arXiv:2203.15556 (its alpha and beta from the paper's source), and the replication, arXiv:2404.10102."""


@dataclass(frozen=True)
class Published:
    """Numbers that others printed."""

    frame: pd.DataFrame
    """One row a source."""

    def to_json(self) -> list[dict[str, object]]:
        """The rows, for programs."""
        return self.frame.to_dict("records")


def fits(records: Records) -> dict[str, object]:
    """Return the fits of the 240 and the 245 points, the delta path, influence, profile and rollout."""
    every = dataset("chinchilla_epoch", where="loss > 0")
    cut = every["loss"].nlargest(5).index
    rows = every.drop(cut)
    huber = fitting.fit("chinchilla", rows, bootstrap=4000)
    whole = fitting.fit("chinchilla", every, bootstrap=1000)
    exponents = {name: {key: values[key] for key in ("alpha", "beta")} for name, values in PUBLISHED.items()}
    frame = pd.DataFrame([{"source": name, **values} for name, values in PUBLISHED.items()])
    return {
        "fit: Huber, delta 1e-3": huber,
        "fit: absolute deviations": fitting.fit("chinchilla", rows, loss="lad", bootstrap=400),
        "fit: squares of the loss": fitting.fit("chinchilla", rows, loss="mse", residual="raw"),
        "fit: Huber, all rows": whole,
        "published": Published(frame),
        "delta path": diagnostics.delta_path("chinchilla", rows),
        "influence": diagnostics.influence(
            whole,
            {
                "the five highest losses": list(cut),
                "the five lowest losses": list(every["loss"].nsmallest(5).index),
            },
        ),
        "exponent plane": diagnostics.exponent_plane(huber, published=exponents, level=0.95),
        "rollout": diagnostics.rollout(rows),
    }


STUDY = Study(
    name="chinchilla_refit",
    question="Hoffmann et al. 2022, figure 4, by each estimator: which published numbers do its points bear out?",
    presets=(Preset("cpu", "no training; under a minute after a fetch of 23 kB", None),),
    fits=fits,
    sections=(refit.estimators, refit.hangs_on, refit.beyond),
)
