"""Studies: a question, the grids that answer it, the fits and the sections of its report."""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from scaling.errors import InputError
from scaling.records.spec import Spec, parents, spec_id

if TYPE_CHECKING:
    from scaling.records.archive import Archive
    from scaling.records.store import Store
    from scaling.records.tables import Records
    from scaling.reporting.document import Report, Section


@dataclass(frozen=True)
class Preset:
    """A grid sized to a machine."""

    name: str
    """Its name: ``smoke``, ``cpu``, ``h200``, or what it is for."""
    note: str
    """One line: what it holds and how long it takes where."""
    specs: Callable[[], list[Spec]]
    """The runs, in the order in which they should start; reads the corpus."""
    device: Literal["cpu", "cuda"] = "cpu"
    """What it is sized for."""
    companions: tuple[str, ...] = ()
    """Presets of the same study whose records, where there are any, also enter this one's report."""
    fits: Callable[[Records], Mapping[str, Any]] | None = None
    """Estimates from its records, where they are not the study's."""
    sections: tuple[Callable[[Analysis], Section], ...] | None = None
    """Sections of its report, where they are not the study's."""


@dataclass(frozen=True)
class Analysis:
    """Records and what was estimated from them: all that a section may look at."""

    study: Study
    """The study."""
    preset: str
    """The preset whose records these are."""
    records: Records
    """The tables."""
    fits: Mapping[str, Any]
    """Estimates by name."""
    companions: Mapping[str, Records] = field(default_factory=dict)
    """Records of companion presets, by preset."""
    provenance: Mapping[str, str] = field(default_factory=dict)
    """What the records say of where they come from."""


@dataclass(frozen=True)
class Study:
    """One question and how it is answered."""

    name: str
    """Its name, also of its file and folders."""
    question: str
    """What it asks, as the report's first line."""
    presets: tuple[Preset, ...]
    """The grids, the default one first."""
    fits: Callable[[Records], Mapping[str, Any]]
    """Estimates from the records of one preset."""
    sections: tuple[Callable[[Analysis], Section], ...]
    """The report's sections in order; the first one holds the verdict."""
    next_commands: Mapping[str, str] = field(default_factory=dict)
    """What one might do after a run: arguments of ``scaling`` and what they are for."""

    def __post_init__(self) -> None:
        for name in (self.name, *(preset.name for preset in self.presets)):
            if not re.fullmatch(r"\w[\w.-]*", name):
                raise InputError(
                    f"study {self.name!r}: {name!r} names a folder; use letters, digits, ., - and _"
                )
        if not self.presets:
            raise InputError(f"study {self.name!r} has no presets; give at least one")

    def preset(self, name: str | None) -> Preset:
        """Return the preset of a name, the default for None; ``InputError`` lists them."""
        if name is None:
            return self.presets[0]
        for preset in self.presets:
            if preset.name == name:
                return preset
        known = ", ".join(p.name for p in self.presets)
        raise InputError(f"study {self.name} has no preset {name!r}; choose one of {known}")


def with_parents(specs: list[Spec]) -> list[Spec]:
    """Return the runs and the parents they need, each once, parents first."""
    found: dict[str, Spec] = {}
    for spec in specs:
        for one in (*parents(spec), spec):
            found.setdefault(spec_id(one), one)
    return list(found.values())


def missing(specs: list[Spec], store: Store) -> list[Spec]:
    """Return the runs of a grid, parents included, that the store has not finished."""
    return [spec for spec in with_parents(specs) if not store.is_done(spec_id(spec))]


def analyse(
    study: Study,
    preset: str,
    records: Records,
    companions: Mapping[str, Records],
    provenance: Mapping[str, str],
) -> Analysis:
    """Return the study's estimates from the records of one of its presets."""
    fits = study.preset(preset).fits or study.fits
    return Analysis(study, preset, records, fits(records), companions, provenance)


def document(analysis: Analysis) -> Report:
    """Return the report of an analysis: its sections, its fits as machine-readable results, its provenance."""
    from scaling.reporting.document import Report

    study = analysis.study
    own = study.preset(analysis.preset).sections
    return Report(
        title=f"{study.name} · {analysis.preset}",
        question=study.question,
        sections=tuple(section(analysis) for section in (study.sections if own is None else own)),
        provenance=analysis.provenance,
        results={name: fit.to_json() for name, fit in analysis.fits.items()},
    )


def provenance(archive: Archive) -> dict[str, str]:
    """Return what the records say of where they come from."""
    runs = archive.records.runs

    def each(column: str) -> str:
        return "; ".join(sorted({str(value) for value in runs[column].dropna()}))

    corpora = sorted(
        {f"{name} {sha[:16]}" for name, sha in zip(runs["data"], runs["data_sha256"], strict=True)}
    )
    ended = runs["status"].value_counts().sort_index()
    return {
        "study": f"{archive.study}, preset {archive.preset}",
        "runs": ", ".join(f"{count} {status}" for status, count in ended.items()),
        "device time": f"{float(runs['device_seconds'].sum()) / 3600:.2f} h",
        "hardware": each("hardware"),
        "versions": each("version"),
        "corpora (sha256)": "; ".join(corpora),
        "seeds": _numbers_in_words(sorted({int(seed) for seed in runs["seed_data"]})),
        "records (sha256)": archive.sha256,
    }


def _numbers_in_words(found: list[int]) -> str:
    """Return a few numbers one by one, many by their count and ends."""
    if len(found) <= 8:
        return ", ".join(map(str, found))
    return f"{len(found)} from {found[0]} to {found[-1]}"


def bundled(what: str) -> Path:
    """Return the folder of ``studies`` or ``data``: beside the package in a checkout, else inside the wheel."""
    package = Path(__file__).resolve().parent
    checkout = package.parent / what
    return checkout if (package.parent / "pyproject.toml").is_file() else package / "bundled" / what


def study_files() -> dict[str, Path]:
    """Return the known studies by name: those bundled with the suite, overlaid by ./studies."""
    found: dict[str, Path] = {}
    for folder in (bundled("studies"), Path("studies")):
        found |= {path.stem: path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")}
    return found


def find(name: str) -> Study:
    """Return a study by name, or by the path of its file (anything that ends in .py)."""
    known = study_files()
    path = Path(name) if name.endswith(".py") else known.get(name)
    if path is None:
        raise InputError(
            f"no study is named {name!r}; known are {', '.join(known)}, or give the path of a .py file"
        )
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"study file {path} {what}; known studies are {', '.join(known)}")
    return _load(path.resolve())


def _load(path: Path) -> Study:
    module_name = f"_study_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"study file {path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # whatever the user's file does
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)
        ]
        where = f" in line {lines[-1]}" if lines else ""
        raise InputError(
            f"study file {path} cannot be loaded: {type(error).__name__}{where}: {error}; correct the file"
        ) from error
    study = getattr(module, "STUDY", None)
    if not isinstance(study, Study):
        raise InputError(
            f"study file {path} defines no STUDY of type scaling.study.Study; "
            f"{bundled('studies') / 'quickstart.py'} shows how"
        )
    return study
