"""A store with a damaged run: one line names the folder, and without it the same command finishes, the rest kept."""

import shutil

import pandas as pd

from scaling.records.columns import TABLES, TIME_COLUMNS
from scaling.records.tables import Records


def cooldowns(home) -> list[str]:
    runs = Records.load(home.records).runs
    return runs.loc[runs["kind"] == "cooldown", "run_id"].tolist()


def test_damage_is_named_before_anything_is_trained_and_redone_once_deleted(home, one_line, ok) -> None:
    before = Records.load(home.records)
    cut, emptied, altered, *_ = cooldowns(home)
    runs_table = home.store / cut / "runs.parquet"
    runs_table.write_bytes(runs_table.read_bytes()[:-100])
    (home.store / emptied / "done.json").write_bytes(b"")
    spec = home.store / altered / "spec.json"
    spec.write_text(spec.read_text().replace('"seed":0', '"seed":1'))
    for run_id, what in ((cut, "runs.parquet"), (emptied, "done.json"), (altered, "spec.json")):
        run = home.run("run", "tiny.py", "--workers", 1)
        one_line(run, 2, run_id, what, "delete the folder and run again")
        shutil.rmtree(home.store / run_id)
    trunk = Records.load(home.records).runs.set_index("run_id").loc[cut, "parent_run_id"]
    states = sorted((home.store / trunk).glob("state-*.pt"))
    for path in states:
        path.write_bytes(path.read_bytes()[:1000])
    (home.store / emptied).mkdir()
    run = home.run("run", "tiny.py", "--workers", 1)
    one_line(run, 2, "run state", "is damaged", "delete this file and run again")
    assert str(trunk) in run.stderr
    for path in states:
        path.unlink()
    kept = {path: path.stat().st_mtime_ns for path in home.store.glob("*/done.json")}
    ok(home.run("run", "tiny.py", "--workers", 1))
    assert len(kept) >= len(before.runs) - 3
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items()), "finished runs are not done again"
    after = Records.load(home.records)
    for table in TABLES:
        one, other = (
            getattr(r, table.name).drop(columns=[*TIME_COLUMNS], errors="ignore") for r in (before, after)
        )
        pd.testing.assert_frame_equal(one, other)


def test_a_damaged_queue_is_named_and_holds_no_results(home, one_line) -> None:
    shutil.rmtree(home.store / cooldowns(home)[0])
    (home.store / "claims.sqlite").write_bytes(b"not a database" * 100)
    one_line(
        home.run("run", "tiny.py", "--workers", 1), 2, "claims.sqlite is damaged", "delete it and run again"
    )
