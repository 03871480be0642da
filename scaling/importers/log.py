"""The log that importers fill, entry by entry: rows of one step are joined, and every entry is accounted for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from scaling.errors import InputError
from scaling.importers.flat import Cell, clean
from scaling.importers.frames import OURS, framed, renamed
from scaling.importers.importer import Imported, Skipped
from scaling.records.naming import name_columns, searched

if TYPE_CHECKING:
    import pandas as pd

    from scaling.importers.importer import Choices

Step = int | float | None


@dataclass
class Log:
    """Runs and entries as they are read. An entry is one unit of the format: a row, a value, a cell."""

    unit: str = "rows"
    """What an entry is, in the plural."""
    read: int = 0
    """Entries so far."""
    kept: int = 0
    """Entries that went into rows."""
    notes: list[str] = field(default_factory=list)
    """Lines for the reader."""
    files: list[Path] = field(default_factory=list)
    """Files so far."""
    skipped: list[Skipped] = field(default_factory=list)
    """Entries left out."""
    _runs: dict[str, dict[str, Cell]] = field(default_factory=dict)
    _names: dict[str, str | Path] = field(default_factory=dict)
    _files_of: dict[str, Path] = field(default_factory=dict)
    _rows: dict[str, list[tuple[Step, dict[str, Cell]]]] = field(default_factory=dict)
    _at: dict[tuple[str, Step], list[int]] = field(default_factory=dict)
    _again: int = 0
    _same: int = 0

    def run(self, run_id: str, name: str | Path, facts: Mapping[str, Cell], file: Path) -> None:
        """Add a run, or facts to a run; ``name`` is what a pattern is searched in, a path or the run's own name."""
        run_id = clean(run_id)
        known = self._runs.setdefault(run_id, {})
        self._names.setdefault(run_id, name)
        self._rows.setdefault(run_id, [])
        self._files_of.setdefault(run_id, file)
        known.update(facts)

    def add(self, run_id: str, step: Step, values: Mapping[str, Cell]) -> None:
        """Add an entry: it joins a row of its step unless that row has another value of the same name."""
        run_id = clean(run_id)
        self.read += 1
        self.kept += 1
        rows = self._rows[run_id]
        places = self._at.setdefault((run_id, step), []) if step is not None else []
        for place in places:
            row = rows[place][1]
            if all(name not in row or _equal(row[name], value) for name, value in values.items()):
                self._same += values.keys() <= row.keys()
                row.update(values)
                return
        self._again += bool(places)
        places.append(len(rows))
        rows.append((step, dict(values)))

    def keep(self, count: int = 1) -> None:
        """Count entries that became a run of their own."""
        self.read += count
        self.kept += count

    def skip(self, where: object, reason: str, count: int = 1) -> None:
        """Leave entries out."""
        self.read += count
        self.skipped.append(Skipped(clean(str(where)), reason, count))

    def imported(self, choices: Choices) -> Imported:
        """Return the tables; ``InputError`` where nothing was kept."""
        if not self.kept:
            why = f"; left out: {self.skipped[0].reason} ({self.skipped[0].where})" if self.skipped else ""
            raise InputError(f"nothing to import in {_shown(self.files)}{why}; check the path and the format")
        if self._again:
            self.notes.append(
                f"{self._again} rows repeat a step with other values, as after a restart; each is a row of its own"
            )
        if self._same:
            self.notes.append(f"{self._same} of the {self.unit} say what a row of their step says already")
        runs, history = self._run_table(choices), self._history()
        changed = renamed(history.columns.drop(["run_id", "step"]), [*OURS, *runs.columns])
        self._note_renamed(changed)
        return Imported(
            runs=runs,
            history=history.rename(columns=changed),
            unit=self.unit,
            read=self.read,
            kept=self.kept,
            skipped=tuple(self.skipped),
            notes=tuple(self.notes),
            files=tuple(self.files),
        )

    def _history(self) -> pd.DataFrame:
        """Return all rows, each run's by step, those without a step last, else as they were read."""
        import pandas as pd

        rows = [
            (run_id, *row) for run_id, logged in self._rows.items() for row in sorted(logged, key=_by_step)
        ]
        steps = [step for _, step, _ in rows]
        counted = all(step is None or isinstance(step, int) for step in steps)
        found = framed([values for *_, values in rows])
        found = found.rename(columns=renamed(found.columns, ("run_id", "step")))
        ours = pd.DataFrame(
            {
                "run_id": pd.array([run_id for run_id, *_ in rows], dtype="string"),
                "step": pd.array(steps, dtype="Int64" if counted else "Float64"),
            }
        )
        return pd.concat([ours, found], axis=1)

    def _run_table(self, choices: Choices) -> pd.DataFrame:
        """Return one row a run: its names, columns from its name, facts, and the last value of each metric."""
        import pandas as pd

        rows = []
        for run_id, facts in self._runs.items():
            last: dict[str, Cell] = {}
            for _, values in sorted(self._rows[run_id], key=_by_step):
                last |= values
            rows.append(facts | {f"summary/{k}": v for k, v in last.items() if f"summary/{k}" not in facts})
        found, ours = framed(rows), self._named(choices.from_name)
        changed = renamed(found.columns, [*OURS, *ours.columns])
        self._note_renamed(changed)
        return pd.concat([ours, found.rename(columns=changed)], axis=1)

    def _named(self, pattern: str | None) -> pd.DataFrame:
        """Return what each run is called, and the columns that ``pattern`` finds in that."""
        import pandas as pd

        names = [*self._names.values()]
        texts = {
            "run_id": [*self._runs],
            "name": [clean(name.name if isinstance(name, Path) else name) for name in names],
            "file": [clean(file.as_posix()) for file in self._files_of.values()],
        }
        ours = pd.DataFrame({name: pd.array(cells, dtype="string") for name, cells in texts.items()})
        if pattern is None:
            return ours
        where = [searched(name, pattern) if isinstance(name, Path) else name for name in names]
        found = name_columns(pattern, where)
        if taken := [name for name in found.columns if name in OURS]:
            raise InputError(
                f"--from-name gives a column {taken[0]!r}, which the tables have; name it otherwise"
            )
        return pd.concat([ours, found], axis=1)

    def _note_renamed(self, changed: Mapping[str, str]) -> None:
        if changed:
            names = ", ".join(f"{old} is {new}" for old, new in list(changed.items())[:5])
            self.notes.append(f"{len(changed)} columns have names that are taken: {names}")


def whole(number: float) -> Step:
    """Return a step as a whole number where it is one; None for no number."""
    if math.isnan(number):
        return None
    return int(number) if math.isfinite(number) and number == int(number) and abs(number) < 2**53 else number


def _by_step(row: tuple[Step, dict[str, Cell]]) -> tuple[bool, float]:
    return row[0] is None, row[0] or 0


def _equal(a: Cell, b: Cell) -> bool:
    return a == b or (a != a and b != b)


def _shown(files: list[Path]) -> str:
    names = [str(file) for file in files[:3]]
    more = f" and {len(files) - 3} more" if len(files) > 3 else ""
    return ", ".join(names) + more if names else "what was given"
