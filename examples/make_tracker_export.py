"""Write tracker_export.csv: the published isoFLOP and learning-rate runs as an experiment tracker would export them.

    python examples/make_tracker_export.py

The rows are our own runs, nothing is invented. The mess is that of a tracker's export: odd column names, tokens in
millions, checkpoints of unfinished runs between finished ones, empty cells, rows in no order.
"""

from pathlib import Path

import pandas as pd

from scaling.records import archive
from scaling.records.frame import frame

HERE = Path(__file__).resolve().parent
PUBLISHED = HERE.parent / "data" / "studies" / "isoflop"


def export(preset: str) -> pd.DataFrame:
    """Return a preset's checkpoints under a tracker's column names."""
    records = archive.load(PUBLISHED / preset).records
    rows = frame(records)
    steps = records.steps.sort_values("step").groupby("run_id").tail(1).set_index("run_id")
    last = rows["step"] == rows.groupby("run_id")["step"].transform("max")
    names = rows["kind"] + "-w" + rows["width"].astype(str) + "-s" + rows["seed"].astype(str)
    return pd.DataFrame(
        {
            "Name": names + "-" + rows["run_id"].str[:6],
            "State": last.map({True: "finished", False: "running"}).where(
                rows["status"] == "done", "crashed"
            ),
            "Tags": preset,
            "config/model/width": rows["width"],
            "config/model/matmul_params": rows["N"].astype(int),
            "config/optim/lr": rows["lr"].astype(float).round(6),
            "summary/_step": rows["step"],
            "summary/lr": records.checkpoints["lr"].astype(float),
            "summary/train/tokens (M)": rows["D"] / 1e6,
            "summary/train/loss": rows["run_id"].map(steps["loss_nats"].astype(float)).where(last),
            "summary/eval/python-heldout/loss": rows["loss"],
        }
    )


def main() -> None:
    """Write the export beside this file."""
    table = pd.concat([export("cpu"), export("tune")], ignore_index=True)
    table.sample(frac=1, random_state=0).to_csv(HERE / "tracker_export.csv", index=False, float_format="%.6g")


if __name__ == "__main__":
    main()
