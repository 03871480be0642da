"""The public names, and that looking at the package costs nothing."""

import subprocess
import sys

import scaling

NAMES = [
    "Chain", "CountsFit", "Exchange", "Fit", "FitError", "Holdout", "InputError", "IsoflopFit", "Records", "chain",
    "dataset", "exchange_paired", "exchange_rate", "exchange_slices", "fit", "fit_counts", "fit_isoflop", "frame", "holdout",
    "pass_at_k", "read_table", "sweep_optima",
]  # fmt: skip
"""The golden list: a change here is a change for users and belongs in the changelog."""


def test_public_names_are_these_and_all_exist() -> None:
    assert scaling.__all__ == NAMES
    for name in NAMES:
        assert getattr(scaling, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(scaling, "fits")


def test_importing_the_package_imports_no_library() -> None:
    code = (
        "import sys, scaling; print([m for m in ('numpy', 'pandas', 'torch', 'scipy') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
