"""Studies that are not there or cannot be loaded: one line names the file, the line in it and the known studies."""

from pathlib import Path

import pytest

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
}


@pytest.mark.parametrize("case", FILES)
def test_a_study_file_that_cannot_be_used_is_named(command, one_line, tmp_path: Path, case: str) -> None:
    text, says = FILES[case]
    (tmp_path / f"{case}.py").write_text(text)
    one_line(command("run", f"{case}.py"), 2, says)


def test_unknown_studies_and_presets_are_answered_with_the_known_ones(command, one_line) -> None:
    one_line(command("run", "quikstart"), 2, "'quikstart'", "isoflop", "quickstart")
    one_line(command("plan", "none.py"), 2, "none.py does not exist", "quickstart")
    one_line(
        command("report", "quickstart", "--preset", "h100"), 2, "no preset 'h100'; choose one of cpu, smoke"
    )
    one_line(command("run", "quickstart", "--workers", 0), 2, "--workers")
    one_line(command("list", "lows"), 2, "choose one of laws, corpora, studies")


def test_a_broken_study_of_ones_own_does_not_hide_the_others(command, ok, tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.py").write_text("STUDY = nothing")
    out = ok(command("list", "studies"))
    assert "NameError in line 1" in out
    assert "quickstart" in out
