"""Studies: a question, the grids that answer it, the fits and the sections of its report."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, get_args

from scaling.errors import FitError, InputError, machine_failure
from scaling.records.spec import Spec, parents, spec_id

if TYPE_CHECKING:
    from scaling.records.store import Store
    from scaling.records.tables import Records
    from scaling.reporting.document import Report, Section

Device = Literal["cpu", "cuda"]
Made = TypeVar("Made")


Part: TypeAlias = "Callable[[Analysis], Section | Sequence[Section]]"
"""A part of a report: a section, or several."""


@dataclass(frozen=True)
class Preset:
    """A grid sized to a machine."""

    name: str
    """Its name: ``smoke``, ``cpu``, ``h200``, or what it is for."""
    note: str
    """One line: what it holds and how long it takes where."""
    specs: Callable[[], list[Spec]] | None
    """The runs, in the order in which they should start; reads the corpus. ``runs`` calls and checks it. None where
    nothing is trained: the study fits runs that others made."""
    device: Device = "cpu"
    """What it is sized for."""
    companions: tuple[str, ...] = ()
    """Presets of the same study whose records, where there are any, also enter this one's report."""
    fits: Callable[[Records], Mapping[str, Any]] | None = None
    """Estimates from its records, where they are not the study's."""
    sections: tuple[Part, ...] | None = None
    """Sections of its report, where they are not the study's."""
    file: Path | None = None
    """The study's file; ``find`` fills it in."""

    def __post_init__(self) -> None:
        where = f"preset {self.name!r}: "
        if self.device not in get_args(Device):
            raise InputError(f"{where}device is {self.device!r}, expected {' or '.join(get_args(Device))}")
        _refuse_other_than_functions(f"{where}specs is", *([] if self.specs is None else [self.specs]))
        _refuse_other_than_functions(f"{where}fits is", *([] if self.fits is None else [self.fits]))
        _refuse_other_than_functions(
            f"{where}sections holds", *_several(f"{where}sections", self.sections or ())
        )

    def runs(self) -> list[Spec]:
        """Return the runs; whatever the study's file does, ``InputError`` says it in one line."""
        if self.specs is None:
            return []
        where = f"study file {self.file}, preset {self.name}: specs()"
        try:
            found: Any = self.specs()  # a user wrote it
        except (InputError, FitError, MemoryError):
            raise
        except (Exception, SystemExit) as error:
            if failure := machine_failure(error):
                raise failure from error
            raise InputError(f"{where} failed with {told(error, self.file)}; correct the file") from error
        if found in ([], ()):
            raise InputError(f"{where} returned no runs; a preset needs at least one")
        several = isinstance(found, list | tuple)
        if wrong := [one for one in found if not isinstance(one, Spec)] if several else [found]:
            what = "a list with " if several else ""
            raise InputError(
                f"{where} returned {what}{wrong[0]!r:.60}, expected a list of specs, as scaling.records.recipe makes"
            )
        return list(found)


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
    sections: tuple[Part, ...]
    """The report's sections in order; the first one holds the verdict."""
    next_commands: Mapping[str, str] = field(default_factory=dict)
    """What one might do after a run: arguments of ``scaling`` and what they are for."""
    asked: str = ""
    """What names it on the command line, where that is a path; ``find`` fills it in."""

    def __post_init__(self) -> None:
        where = f"study {self.name!r}: "
        for preset in _several(f"{where}presets", self.presets):
            if not isinstance(preset, Preset):
                raise InputError(f"{where}presets holds {preset!r}, expected scaling.study.Preset")
        _refuse_other_than_functions(f"{where}fits is", self.fits)
        _refuse_other_than_functions(f"{where}sections holds", *_several(f"{where}sections", self.sections))
        for name in (self.name, *(preset.name for preset in self.presets)):
            if not re.fullmatch(r"\w[\w.-]*", name):
                raise InputError(
                    f"study {self.name!r}: {name!r} names a folder; use letters, digits, ., - and _"
                )
        if not self.presets:
            raise InputError(f"study {self.name!r} has no presets; give at least one")
        names = [preset.name for preset in self.presets]
        if twins := {name for name in names if names.count(name) > 1}:
            raise InputError(f"study {self.name!r} has two presets called {twins.pop()!r}; rename one")

    def preset(self, name: str | None) -> Preset:
        """Return the preset of a name, the default for None; ``InputError`` lists them."""
        if name is None:
            return self.presets[0]
        for preset in self.presets:
            if preset.name == name:
                return preset
        known = ", ".join(p.name for p in self.presets)
        raise InputError(f"study {self.name} has no preset {name!r}; choose one of {known}")


def _several(what: str, found: Any) -> tuple[Any, ...]:
    if not isinstance(found, tuple | list):
        raise InputError(f"{what} is {found!r}, expected a tuple; a tuple of one thing has a comma, (it,)")
    return tuple(found)


def _refuse_other_than_functions(what: str, *found: object) -> None:
    for one in found:
        if not callable(one):
            raise InputError(f"{what} {one!r}, expected a function")


def with_parents(specs: list[Spec]) -> list[Spec]:
    """Return the runs and all that they need, each once, parents first."""
    found: dict[str, Spec] = {}

    def add(spec: Spec) -> None:
        if spec_id(spec) not in found:
            for parent in parents(spec):
                add(parent)
            found[spec_id(spec)] = spec

    for spec in specs:
        add(spec)
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
    chosen = study.preset(preset)
    found = _guarded(f"preset {preset}: fits()", lambda: (chosen.fits or study.fits)(records), chosen.file)
    if not isinstance(found, Mapping):
        raise InputError(
            f"study file {chosen.file}, preset {preset}: fits() returned {found!r:.60}, expected a dict of estimates"
        )
    return Analysis(study, preset, records, found, companions, provenance)


def document(analysis: Analysis) -> Report:
    """Return the report of an analysis: its sections, its fits as machine-readable results, its provenance."""
    from scaling.reporting.document import Report, Section

    study = analysis.study
    chosen = study.preset(analysis.preset)

    def made(part: Part) -> Sequence[Section]:
        name = getattr(part, "__name__", repr(part))
        found = _guarded(f"preset {chosen.name}: section {name}", lambda: part(analysis), chosen.file)
        return [found] if isinstance(found, Section) else found

    parts = study.sections if chosen.sections is None else chosen.sections

    return Report(
        title=f"{study.name} · {analysis.preset}",
        question=study.question,
        sections=tuple(section for part in parts for section in made(part)),
        provenance=analysis.provenance,
        results={name: fit.to_json() for name, fit in analysis.fits.items()},
    )


def _guarded(what: str, work: Callable[[], Made], file: Path | None) -> Made:
    """Do a part of a study; what goes wrong in a file that is not ours becomes one line."""
    try:
        return work()
    except (InputError, FitError, MemoryError):
        raise
    except Exception as error:
        if file is None or file.resolve().is_relative_to(bundled("studies")):
            raise
        if failure := machine_failure(error):
            raise failure from error
        raise InputError(
            f"study file {file}, {what} failed with {told(error, file)}; correct the file"
        ) from error


def bundled(what: str) -> Path:
    """Return the folder of ``studies`` or ``data``: beside the package in a checkout, else inside the wheel."""
    package = Path(__file__).resolve().parent
    checkout = package.parent / what
    return checkout if (package.parent / "pyproject.toml").is_file() else package / "bundled" / what


def told(error: BaseException, path: Path | None) -> str:
    """An error of a user's file, with the line in that file."""
    name = str(path and path.resolve())
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == name]
    return f"{type(error).__name__}{f' in line {lines[-1]}' if lines else ''}: {error}"
