"""What stands behind a fit: evidence for its minimum, what it hangs on, what it cannot tell, and what to run next."""

from scaling.diagnostics.conventions import Conventions, conventions
from scaling.diagnostics.delta_path import DeltaPath, delta_path
from scaling.diagnostics.exponent_plane import ExponentPlane, exponent_plane
from scaling.diagnostics.forms import FormUncertainty, form_uncertainty
from scaling.diagnostics.identifiability import Identifiability, identifiability
from scaling.diagnostics.influence import Influence, influence
from scaling.diagnostics.lack_of_fit import LackOfFit, lack_of_fit
from scaling.diagnostics.next_run import NextRun, next_run
from scaling.diagnostics.rollout import Rollout, rollout

__all__ = [
    "Conventions",
    "DeltaPath",
    "ExponentPlane",
    "FormUncertainty",
    "Identifiability",
    "Influence",
    "LackOfFit",
    "NextRun",
    "Rollout",
    "conventions",
    "delta_path",
    "exponent_plane",
    "form_uncertainty",
    "identifiability",
    "influence",
    "lack_of_fit",
    "next_run",
    "rollout",
]
