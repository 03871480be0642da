"""Published reports are of the published records."""

import json
from pathlib import Path

import pytest

from scaling.records.archive import load

ROOT = Path(__file__).parents[1]
RECORDS = sorted((ROOT / "data" / "studies").glob("*/*"))


@pytest.mark.parametrize("folder", RECORDS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_report_names_the_records_that_it_was_made_of(folder: Path) -> None:
    report = ROOT / "reports" / folder.parent.name / folder.name
    said = json.loads((report / "results.json").read_text(encoding="utf-8"))["provenance"]["records (sha256)"]
    assert said == load(folder).sha256
