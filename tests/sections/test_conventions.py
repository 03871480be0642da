"""Records under all their conventions in one call."""

import pytest

from scaling.diagnostics import conventions
from scaling.errors import InputError
from scaling.fitting import fit
from scaling.records.frame import FLOPS, PARAMS, annealed, frame
from scaling.records.tables import Records


def test_records_are_fitted_under_all_their_conventions(records: Records) -> None:
    found = conventions("chinchilla", records, bootstrap=0)
    assert set(found.fits) == {(params, flops) for params in PARAMS for flops in FLOPS}
    for (params, flops), mine in found.fits.items():
        rows, excluded = annealed(frame(records, params=params, flops=flops))
        alone = fit("chinchilla", rows, bootstrap=0, excluded=excluded)
        assert mine.parameters == alone.parameters
    # attention costs more than 6 N D, and more so in small models
    exact = found.compute.query("params == 'matmul' and flops == 'exact'").iloc[0]
    assert 0.5 < exact["by_N"] < 1.0
    assert exact["by_D"] == pytest.approx(1.0, abs=0.02)


def test_columns_are_not_for_records(records: Records) -> None:
    with pytest.raises(InputError, match="leave N and C out"):
        conventions("chinchilla", records, N={"total": "N"})
