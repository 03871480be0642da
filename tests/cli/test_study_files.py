"""Studies that are not there or cannot be loaded: one line names the file, the line in it and the known studies."""

from pathlib import Path

import pytest

from scaling import tasks
from scaling.study import bundled

HEAD = "from scaling.study import Preset, Study\n"
FILES = {
    "syntax": ("def (", "SyntaxError"),
    "no_study": ("X = 1", "defines no STUDY"),
    "no_module": ("import nothere", "No module named 'nothere'"),
    "raises": ("x = 1\nraise RuntimeError('boom\\nand more')", "RuntimeError in line 2: boom and more"),
    "leaves": ("import sys; sys.exit(0)", "SystemExit in line 1"),
    "no_presets": (HEAD + "STUDY = Study('x', '?', (), dict, ())", "has no presets"),
    "climbs": (
        HEAD + "STUDY = Study('../x', '?', (Preset('cpu', '', list),), dict, ())",
        "'../x' names a folder; use letters",
    ),
    "no_runs": (HEAD + "STUDY = Study('x', '?', (Preset('cpu', '', list),), dict, ())", "no runs"),
    "specs_raise": (
        HEAD
        + "def specs():\n    return 1 / 0\nSTUDY = Study('x', '?', (Preset('cpu', '', specs),), dict, ())",
        "specs_raise.py, preset cpu: specs() failed with ZeroDivisionError in line 3: division by zero",
    ),
    "specs_leave": (
        HEAD + "STUDY = Study('x', '?', (Preset('cpu', '', exit),), dict, ())",
        "preset cpu: specs() failed with SystemExit",
    ),
    "specs_of_nothing": (
        HEAD + "STUDY = Study('x', '?', (Preset('cpu', '', dict().clear),), dict, ())",
        "preset cpu: specs() returned None, expected a list of specs",
    ),
    "specs_of_text": (
        HEAD + "STUDY = Study('x', '?', (Preset('cpu', '', lambda: ['run']),), dict, ())",
        "preset cpu: specs() returned a list with 'run', expected a list of specs",
    ),
    "no_function": (
        HEAD + "STUDY = Study('x', '?', (Preset('cpu', '', []),), dict, ())",
        "in line 2: preset 'cpu': specs is [], expected a function",
    ),
    "device": (
        HEAD + "STUDY = Study('x', '?', (Preset('cpu', '', list, device='tpu'),), dict, ())",
        "in line 2: preset 'cpu': device is 'tpu', expected cpu or cuda",
    ),
    "fits": (
        HEAD + "STUDY = Study('x', '?', (Preset('cpu', '', list, fits={}),), dict, ())",
        "preset 'cpu': fits is {}, expected a function",
    ),
    "sections": (
        HEAD + "STUDY = Study('x', '?', (Preset('cpu', '', list),), dict, ('ledger',))",
        "study 'x': sections holds 'ledger', expected a function",
    ),
    "one_section": (
        HEAD + "STUDY = Study('x', '?', (Preset('cpu', '', list, sections=(len)),), dict, ())",
        "preset 'cpu': sections is <built-in function len>, expected a tuple; a tuple of one thing has a comma",
    ),
    "twins": (
        HEAD + "STUDY = Study('x', '?', (Preset('a', '', list), Preset('a', '', list)), dict, ())",
        "study 'x' has two presets called 'a'; rename one",
    ),
    "nested": ("[" * 100_000, "nested.py cannot be loaded"),
}


@pytest.fixture(scope="module")
def refusals(many, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("studies")
    for case, (text, _) in FILES.items():
        (folder / f"{case}.py").write_text(text)
    return many(folder, {case: ["run", f"{case}.py"] for case in FILES})


@pytest.mark.parametrize("case", FILES)
def test_a_study_file_that_cannot_be_used_is_named(refusals, one_line, case: str) -> None:
    one_line(refusals[case], 2, FILES[case][1])


def test_unknown_studies_and_presets_are_answered_with_the_known_ones(command, one_line) -> None:
    one_line(command("run", "quikstart"), 2, "'quikstart'", "isoflop", "quickstart")
    one_line(command("plan", "none.py"), 2, "none.py does not exist", "quickstart")
    one_line(
        command("report", "quickstart", "--preset", "h100"), 2, "no preset 'h100'; choose one of cpu, smoke"
    )
    one_line(command("run", "quickstart", "--workers", 0), 2, "--workers")
    one_line(command("list", "lows"), 2, "choose one of laws, tasks, corpora, importers, studies")


def test_a_broken_study_of_ones_own_does_not_hide_the_others(command, ok, tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.py").write_text("STUDY = nothing")
    (tmp_path / "studies" / "long.py").write_text("def f(): raise ValueError('one\\ntwo')\nSTUDY = f()")
    (tmp_path / "studies" / "cut.py").write_text("STUDY = Study(")
    out = ok(command("list", "studies"))
    assert "NameError in line 1" in out
    assert "ValueError in line 1: one two" in out
    assert "SyntaxError" in out
    assert "quickstart" in out
    assert out.count("\n") == 1 + 3 + len(list(bundled("studies").glob("*.py")))


def test_a_script_beside_the_studies_is_not_run(command, ok, tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "clean.py").write_text(
        "from pathlib import Path\nPath('run').touch()\nX = STUDY = 0\n"
    )
    (tmp_path / "studies" / "tool.py").write_text(
        "'STUDY = 1'\nfrom pathlib import Path\nPath('run').touch()\n"
    )
    assert "clean" in ok(command("list", "studies"))
    (tmp_path / "run").unlink()
    (tmp_path / "studies" / "clean.py").unlink()
    assert "tool" not in ok(command("list", "studies"))
    assert not (tmp_path / "run").exists()


def test_a_study_that_is_imported_is_listed(command, ok, tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "again.py").write_text("from studies_of_mine import STUDY\n")
    (tmp_path / "studies" / "studies_of_mine.py").write_text("X = 1\n")
    assert "again" in ok(command("list", "studies"))


BROKEN = {
    "fits": ("lambda records: {}['law']", "()", "preset cpu: fits() failed with KeyError in line 3: 'law'"),
    "no_fits": (
        "lambda records: None",
        "()",
        "preset cpu: fits() returned None, expected a dict of estimates",
    ),
    "section": (
        "lambda records: {}",
        "(broken,)",
        "preset cpu: section broken failed with ZeroDivisionError in line 2",
    ),
    "other_fits": ("lambda records: {}", "(law.law,)", "preset cpu: section law failed with KeyError: 'law'"),
    "disk": ("full", "()", "No space left on device"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_fits_and_sections_of_ones_own_that_fail_are_named(
    command, one_line, tmp_path: Path, case: str
) -> None:
    fits, sections, says = BROKEN[case]
    (tmp_path / "mine.py").write_text(
        "from dataclasses import replace; from scaling.sections import law; from scaling.study_files import find\n"
        "def broken(analysis): return 1 / 0\n"
        f"STUDY = replace(find('quickstart'), fits={fits}, sections={sections})\n"
        if case != "disk"
        else "from dataclasses import replace; from scaling.study_files import find\n"
        "def full(records): raise RuntimeError('No space left on device')\n"
        "STUDY = replace(find('quickstart'), fits=full)\n"
    )
    one_line(command("report", "mine.py"), 1 if case == "disk" else 2, says)


def test_a_report_without_records_names_a_command_that_works(command, one_line, tmp_path: Path) -> None:
    (tmp_path / "my study.py").write_text(
        HEAD + "STUDY = Study('x', '?', (Preset('cpu', '', list),), dict, ())"
    )
    one_line(command("report", "my study.py"), 2, "run `scaling run 'my study.py' --preset cpu` first")
    one_line(
        command("report", "quickstart", "--preset", "smoke"), 2, "run `scaling run quickstart --preset smoke`"
    )


def test_tasks_are_listed_with_their_budgets_and_chance(command, ok) -> None:
    out = ok(command("list", "tasks"))
    assert "s5             difficulties 1 to 20, budgets 1, 2, 3, 5, direct; a guesser scores" in out
    assert out.count("\n") == 1 + len(tasks.ALL)
