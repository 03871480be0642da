"""The real command line in processes of its own, and the one small study that these tests share."""

import contextlib
import functools
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

STUDY = '''
"""Three sizes, three durations each; a report without fits."""
from scaling import corpora
from scaling.records import recipe
from scaling.records.spec import CorpusData
from scaling.sections import ledger
from scaling.study import Preset, Study


def specs():
    ready = corpora.load("files:text/*.txt")
    data = CorpusData(ready.name, ready.sha256)
    found = []
    for width in (8, 16, 24):
        model = recipe.llama(width, 256, 16)
        found += recipe.tree(model, data, [1280, 2560, 5120], batch_tokens=64, seed=0)
    return found


STUDY = Study("tiny", "Does it run?", (Preset("cpu", "seconds", specs),), lambda records: {}, (ledger.ledger,))
'''
WHOLE = '''
"""The same runs with the fits and the sections of the quickstart."""
from dataclasses import replace
from pathlib import Path

from scaling.study_files import find

quickstart = find("quickstart")
STUDY = replace(
    find(str(Path(__file__).with_name("tiny.py"))), fits=quickstart.fits, sections=quickstart.sections
)
'''
FORKING = """
import contextlib, io, json, os, sys
import pandas, pyarrow.parquet
from scaling import cli, fitting, outside

with contextlib.redirect_stdout(io.StringIO()):
    cli.app(["list", "laws"], standalone_mode=False)
for number, arguments in enumerate(json.loads(sys.argv[1])):
    child = os.fork()
    if child == 0:
        for stream in (1, 2):
            os.dup2(os.open(os.path.join(sys.argv[2], f"{number}.{stream}"), os.O_WRONLY | os.O_CREAT), stream)
        sys.argv = ["scaling", *arguments]
        cli.main()
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
"""Runs many commands, each in a process of its own that starts with the libraries imported."""

Run = subprocess.CompletedProcess[str]
STOPS = (signal.SIGINT, signal.SIGTERM)


def scaling(
    *arguments: object, cwd: Path, env: Mapping[str, str] | None = None, file_kibibytes: int | None = None
) -> Run:
    """Run a ``scaling`` command to its end, if asked with a limit on the size of the files it writes."""
    with start(*arguments, cwd=cwd, env=env, file_kibibytes=file_kibibytes) as process:
        out, err = process.communicate(timeout=240)
    return subprocess.CompletedProcess([*map(str, arguments)], process.returncode, out, err)


LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]) * 1024, resource.RLIM_INFINITY))
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


def start(
    *arguments: object, cwd: Path, env: Mapping[str, str] | None = None, file_kibibytes: int | None = None
) -> subprocess.Popen[str]:
    """Start a ``scaling`` command."""
    limit = [] if file_kibibytes is None else ["-c", LIMITED, str(file_kibibytes)]
    return subprocess.Popen(
        [sys.executable, *limit, "-m", "scaling.cli", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "200", **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def refused(run: Run, status: int, *says: str) -> None:
    """Check that a command ended with one line on stderr that holds each of the words, and with the status."""
    assert "Traceback" not in run.stderr, run.stderr
    assert run.stderr.count("\n") == 1, run.stderr
    assert run.stderr.startswith("scaling: ")
    assert run.returncode == status, run.stderr
    for words in says:
        assert words in run.stderr


def finished(run: Run) -> str:
    """Check that a command did what was asked without a word on stderr; return what it printed."""
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    return run.stdout


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., Run]:
    """Return a runner of ``scaling`` commands in a folder of the test's own."""
    return functools.partial(scaling, cwd=tmp_path)


@pytest.fixture(scope="module")
def many(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Path, Mapping[str, Sequence[object]]], dict[str, Run]]:
    """Return a runner of many short commands in one folder: (folder, arguments by name) to results by name."""

    def run(cwd: Path, commands: Mapping[str, Sequence[object]]) -> dict[str, Run]:
        heard = tmp_path_factory.mktemp("heard")
        asked = json.dumps([[*map(str, arguments)] for arguments in commands.values()])
        done = subprocess.run(
            [sys.executable, "-c", FORKING, asked, str(heard)],
            cwd=cwd,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        return {
            name: subprocess.CompletedProcess(
                name, int(status), *((heard / f"{number}.{stream}").read_text("utf-8") for stream in (1, 2))
            )
            for number, (name, status) in enumerate(zip(commands, done.stdout.split(), strict=True))
        }

    return run


@pytest.fixture(scope="session")
def inside() -> Callable[..., Run]:
    """Return a runner of commands in this very process, for tests of thousands; a traceback fails the test."""

    def run(*arguments: object) -> Run:
        from scaling import cli

        kept, handlers = (sys.argv, sys.stdin, sys.stdout, sys.stderr), [*map(signal.getsignal, STOPS)]
        out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
        try:
            sys.argv, sys.stdout, sys.stderr = ["scaling", *map(str, arguments)], out, err
            with pytest.raises(SystemExit) as end:
                cli.main()
        finally:
            sys.argv, sys.stdin, sys.stdout, sys.stderr = kept
            for number, handler in zip(STOPS, handlers, strict=True):
                signal.signal(number, handler)
        said = [stream.buffer.getvalue().decode() for stream in (out, err)]
        return subprocess.CompletedProcess([*map(str, arguments)], int(end.value.code or 0), *said)

    return run


@pytest.fixture
def starter() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Yield a starter of commands that a test stops; what it leaves behind is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: object, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        started.append(start(*arguments, cwd=cwd, env=env))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def one_line() -> Callable[..., None]:
    """Return the check of a refusal: (run, status, words...)."""
    return refused


@pytest.fixture(scope="session")
def ok() -> Callable[[Run], str]:
    """Return the check of a success, which returns what was printed."""
    return finished


@pytest.fixture(scope="session")
def rows() -> pd.DataFrame:
    """Runs of a known law with a little noise."""
    noise = np.random.default_rng(0).normal(0, 0.003, 30)
    N, D = (grid.ravel() for grid in np.meshgrid(np.geomspace(1e5, 1e7, 6), np.geomspace(1e7, 1e9, 5)))
    return pd.DataFrame({"N": N, "D": D, "loss": (1.8 + 400 / N**0.34 + 400 / D**0.3) * np.exp(noise)})


@pytest.fixture(scope="session")
def done_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory in which the small study has been run to its end; tests work in copies of it.

    The test processes of a session share it: whoever needs it first makes it.
    """
    shared = "PYTEST_XDIST_WORKER" in os.environ
    base = tmp_path_factory.getbasetemp().parent if shared else tmp_path_factory.getbasetemp()
    home = base / "done_home"
    with FileLock(base / "done_home.lock"):
        if not (home / "runs" / "tiny" / "cpu" / "report").exists():
            shutil.rmtree(home, ignore_errors=True)
            _make_home(home)
    return home


def _make_home(home: Path) -> None:
    text = home / "text"
    text.mkdir(parents=True)
    words = random.Random(0)
    for number in range(60):
        lines = (" ".join(words.choice(["law", "of", "scale", "loss"]) for _ in range(9)) for _ in range(40))
        (text / f"{number}.txt").write_text(f"{number}\n" + "\n".join(lines))
    (home / "tiny.py").write_text(STUDY)
    (home / "whole.py").write_text(WHOLE)
    run = scaling("run", "tiny.py", "--workers", 1, cwd=home, env={"SCALING_CACHE": str(home / "cache")})
    assert "report: runs/tiny/cpu/report/index.html" in finished(run)


@dataclass(frozen=True)
class Home:
    """A working directory of one test, and commands in it."""

    path: Path
    """The directory."""
    cache: Path
    """The corpus cache."""

    def run(self, *arguments: object, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Run:
        """Run a command here, or in another folder."""
        return scaling(
            *arguments, cwd=cwd or self.path, env={"SCALING_CACHE": str(self.cache), **(env or {})}
        )

    @property
    def store(self) -> Path:
        """The store of the finished study."""
        return self.path / "runs" / "tiny" / "cpu" / "store"

    @property
    def records(self) -> Path:
        """Its records."""
        return self.path / "runs" / "tiny" / "cpu" / "records"


@pytest.fixture
def home(done_home: Path, tmp_path: Path) -> Home:
    """A copy of the working directory with the finished study."""
    shutil.copytree(done_home, tmp_path / "home", ignore=shutil.ignore_patterns("cache"))
    return Home(tmp_path / "home", done_home / "cache")


@dataclass
class Disk:
    """A small disk, or, where none can be mounted, a folder whose files may not grow beyond a limit."""

    path: Path
    """The folder."""
    mounted: bool
    """Whether it is a disk."""
    limit: int = 64
    """Size of the disk, or of a file, in KiB."""

    def resize(self, kibibytes: int) -> None:
        """Give the disk another size."""
        self.limit = kibibytes
        if self.mounted:
            options = f"remount,size={kibibytes}k"
            subprocess.run(["mount", "-o", options, str(self.path)], check=True)

    def fill(self) -> None:
        """Leave no room for another byte."""
        if self.mounted:
            while self.free():
                with (self.path / "ballast").open("ab", buffering=0) as file, contextlib.suppress(OSError):
                    file.write(b"x" * 4096)
        else:
            self.limit = 0

    def unwritable(self) -> Path:
        """Return a folder in which nobody may write; where permissions do not bind the user, the system's own."""
        if self.mounted:
            subprocess.run(["mount", "-o", "remount,ro", str(self.path)], check=True)
            return self.path
        self.path.chmod(0o500)
        return Path("/proc") if os.access(self.path, os.W_OK) else self.path

    def empty(self) -> None:
        """Make room."""
        (self.path / "ballast").unlink(missing_ok=True)
        self.resize(65536)

    def free(self) -> int:
        """Return the bytes left."""
        return shutil.disk_usage(self.path).free

    def run(self, *arguments: object, cwd: Path, env: Mapping[str, str] | None = None) -> Run:
        """Run a command under the limit."""
        if self.mounted:
            return scaling(*arguments, cwd=cwd, env=env)
        return scaling(*arguments, cwd=cwd, env=env, file_kibibytes=self.limit)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A small disk of its own where one can be mounted, else a folder under a limit on file sizes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    tried = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    mounted = (
        bool(shutil.which("mount"))
        and subprocess.run(tried, check=False, capture_output=True).returncode == 0
    )
    yield Disk(folder, mounted)
    if mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
