"""What the suite knows, one line each: laws, tasks, corpora, importers, studies."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scaling.errors import InputError


def laws() -> Iterator[str]:
    """Yield name, formula, inputs and parameters of every law."""
    from scaling.laws import ALL

    for law in ALL:
        parameters = ", ".join(p.name for p in law.parameters())
        yield f"{law.name:16} {law.formula}   (inputs {', '.join(law.inputs)}; parameters {parameters})"


def corpora() -> Iterator[str]:
    """Yield name and description of every corpus."""
    from scaling.corpora import ALL

    for corpus in ALL:
        yield f"{corpus.name:12} {corpus.description}"


def tasks() -> Iterator[str]:
    """Yield name, difficulties, thinking budgets and chance of every task."""
    from scaling.tasks import ALL

    for task in ALL:
        fair = task.fair()
        low, high = task.difficulties[0], task.difficulties[-1]
        yield (
            f"{task.name:14} difficulties {low} to {high}, budgets {', '.join(task.budgets)}; "
            f"a guesser scores {100 * task.chance(fair):.2g} % at {fair}"
        )


def importers() -> Iterator[str]:
    """Yield name and description of every importer."""
    from scaling.importers import ALL

    for importer in ALL:
        yield f"{importer.name:12} {importer.summary}"


def studies() -> Iterator[str]:
    """Yield name, question and presets of every study."""
    from scaling.study_files import find, study_files

    for name in study_files():
        try:
            study = find(name)
        except InputError as error:
            yield f"{name:14} {_one_line(str(error))}"
            continue
        yield f"{name:14} {_one_line(study.question)} (presets {', '.join(p.name for p in study.presets)})"


def _one_line(text: str) -> str:
    return " ".join(text.split())


CATALOGUES: dict[str, Callable[[], Iterator[str]]] = {
    "laws": laws,
    "tasks": tasks,
    "corpora": corpora,
    "importers": importers,
    "studies": studies,
}


def lines(what: str | None) -> Iterator[str]:
    """Yield one catalogue, or all of them, with their names; ``InputError`` names the known ones."""
    if what is not None and what not in CATALOGUES:
        raise InputError(f"cannot list {what!r}; choose one of {', '.join(CATALOGUES)}")
    for name in [what] if what else CATALOGUES:
        yield name
        for line in CATALOGUES[name]():
            yield f"  {line}"
