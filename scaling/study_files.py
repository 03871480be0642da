"""Study files: which there are, and how a user's own is loaded."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import sys
import warnings
from dataclasses import replace
from pathlib import Path

from scaling.errors import InputError
from scaling.study import Study, bundled, told


def study_files() -> dict[str, Path]:
    """Return the known studies by name: those bundled with the suite, overlaid by ./studies."""
    found: dict[str, Path] = {}
    for folder in (bundled("studies"), Path("studies")):
        found |= {path.stem: path for path in sorted(folder.glob("*.py")) if _is_study(path)}
    return found


def _is_study(path: Path) -> bool:
    """Return whether a file sets STUDY, without running it; one that cannot be parsed, whether it seems to."""
    try:
        source = path.read_bytes()
    except OSError:
        return False
    try:
        with warnings.catch_warnings(action="ignore"):  # of the file's own style
            body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return re.search(rb"^STUDY\b", source, re.MULTILINE) is not None
    targets = [t for node in body if isinstance(node, ast.Assign) for t in node.targets]
    targets += [node.target for node in body if isinstance(node, ast.AnnAssign)]
    imported = [
        alias.asname or alias.name
        for node in body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    return "STUDY" in imported or any(isinstance(t, ast.Name) and t.id == "STUDY" for t in targets)


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
    study = _load(path.resolve())
    presets = tuple(replace(preset, file=path) for preset in study.presets)
    return replace(study, asked=shlex.quote(name), presets=presets)


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
        raise InputError(
            f"study file {path} cannot be loaded: {told(error, path)}; correct the file"
        ) from error
    study = getattr(module, "STUDY", None)
    if not isinstance(study, Study):
        raise InputError(
            f"study file {path} defines no STUDY of type scaling.study.Study; "
            f"{bundled('studies') / 'quickstart.py'} shows how"
        )
    return study
