"""Files that the real tools write, each in a process of its own, and the check of a refusal."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scaling import importers
from scaling.errors import InputError
from scaling.importers import Choices, Imported

QUIET = {
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
    "WANDB_ERROR_REPORTING": "false",
    "WANDB_DIR": ".",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
}
"""No tool calls home or prints for people."""


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a runner: (script, modules...) to the folder in which the script, which needs the modules, has run.

    Skips where a module is not installed, and fails instead where SCALING_TOOLS says that all are: in CI.
    """

    def run(script: str, *modules: str) -> Path:
        if absent := [name for name in modules if importlib.util.find_spec(name) is None]:
            words = f"{', '.join(absent)} not installed: pip install -e '.[train,importers-test]'"
            if os.environ.get("SCALING_TOOLS"):
                pytest.fail(words)
            pytest.skip(words)
        folder = tmp_path_factory.mktemp("written")
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env={**os.environ, **QUIET},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return folder

    return run


@pytest.fixture(scope="session")
def bring() -> Callable[..., Imported]:
    """Return an import whose account is checked: (format, paths..., run=, step=, from_name=)."""

    def read(name: str, *paths: Path, **choices: str) -> Imported:
        found = importers.find(name).read(list(paths), Choices(**choices))
        assert found.read == found.kept + sum(skipped.count for skipped in found.skipped)
        assert all(skipped.reason and skipped.where for skipped in found.skipped)
        assert found.runs["run_id"].is_unique
        assert set(found.history["run_id"]) <= set(found.runs["run_id"])
        assert found.history.columns.is_unique
        assert found.runs.columns.is_unique
        return found

    return read


@pytest.fixture(scope="session")
def refused() -> Callable[..., str]:
    """Return the check of a refusal: (what is called) to its one line."""

    def check(call: Callable[[], object]) -> str:
        with pytest.raises(InputError) as caught:
            call()
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return check
