"""For all tests: Ctrl-C reaches the commands that tests start, a web server of a test's own, and tables to fit."""

import hashlib
import os
import re
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scaling.laws import Chinchilla, Law, PNorm, Power

# A shell starts background jobs with SIGINT ignored, and a child inherits that; a handler is not inherited.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


SLOWEST = (
    "prove/test_s5.py", "executors/test_kill.py", "cli/test_fit_report.py", "executors/test_rl_kill.py",
    "fitting/test_scores.py", "training/test_s5_leg.py", "studies/test_refits.py", "exchange/test_split.py",
    "fitting/test_intervals.py", "cli/test_damaged_store.py", "cli/test_rebuild.py", "cli/test_full_disk.py",
    "fitting/test_engine.py", "sections/test_known_entropy.py", "fitting/test_invariances.py", "cli/test_any_table.py",
)  # fmt: skip
"""Files that take longest, which start first, so that no process ends long after the other."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slowest files first; all others stay in order."""
    here = Path(__file__).parent
    place = {here / name: number for number, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@dataclass
class Web:
    """A web server that can be told to misbehave."""

    url: str
    """Its address, without a slash at the end."""
    files: dict[str, bytes] = field(default_factory=dict)
    """What it gives, by path."""
    ranges: bool = True
    """Whether it gives parts of files."""
    dies_after: list[int] = field(default_factory=list)
    """Bytes after which each of the next answers breaks off."""
    resets: bool = False
    """Whether it breaks off with an error of the connection."""
    refuses: list[int] = field(default_factory=list)
    """Status of each of the next answers."""
    pause_seconds: float = 0.0
    """Pause before each KiB."""
    shift: int = 0
    """Bytes by which a part that it gives begins too early."""
    says_length: bool = True
    """Whether it says how long an answer is."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Range of each request."""


class _Handler(BaseHTTPRequestHandler):
    web: Web

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        web, wanted = self.web, self.headers.get("Range")
        web.asked.append((self.path, wanted))
        body = web.files.get(self.path)
        if web.refuses or body is None:
            self.send_error(web.refuses.pop(0) if web.refuses else 404)
            return
        start = 0
        if wanted and web.ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
            if start >= len(body):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.end_headers()
                return
        self.send_response(206 if start else 200)
        if start:
            first = start - web.shift
            self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
        if web.says_length:
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self._send(body[start:])

    def _send(self, body: bytes) -> None:
        until = min(self.web.dies_after.pop(0) if self.web.dies_after else len(body), len(body))
        try:
            for at in range(0, until, 1024):
                time.sleep(self.web.pause_seconds)
                self.wfile.write(body[at : min(at + 1024, until)])
                self.wfile.flush()
            if until < len(body) and self.web.resets:
                time.sleep(0.1)  # until what was sent has been read
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except ConnectionError:
            pass  # the client was killed


@pytest.fixture
def web() -> Iterator[Web]:
    """A web server on this machine."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        handler.web = Web(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield handler.web
        server.shutdown()
        thread.join()


@pytest.fixture
def catalogue(tmp_path: Path, web: Web) -> Callable[..., Path]:
    """Return a writer of catalogues: name=bytes to a file with one entry each, which the server gives."""

    def write(**contents: bytes) -> Path:
        tables = []
        for name, content in contents.items():
            web.files[f"/{name}.csv"] = content
            tables.append(
                f'[{name}]\nabout = "a test"\nlicence = "CC0-1.0"\nrepository = "some/one"\ncommit = "{"0" * 40}"\n'
                f'folder = "some_one"\nexpect = "nothing"\nlaw = "chinchilla"\nmap = {{ N = "size" }}\n'
                f'files = [{{ url = "{web.url}/{name}.csv", bytes = {len(content)}, '
                f'sha256 = "{hashlib.sha256(content).hexdigest()}" }}]\n'
            )
        path = tmp_path / "catalogue.toml"
        path.write_text("\n".join(tables))
        return path

    return write


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Return the folder of outside data."""
    folder = os.environ.get("SCALING_DATA_MIRROR")
    if not folder:
        pytest.skip("SCALING_DATA_MIRROR is not set: no outside data")
    return Path(folder)


TRUTHS: tuple[Law, ...] = (
    Power(E=1.7, A=400.0, alpha=0.34),
    Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367),
    PNorm(E=0.9, A=120.0, B=300.0, alpha=0.28, beta=0.31, p=2.2),
)


def make_table(law: Law, noise: float = 0.0, seed: int = 0, rows: int = 48) -> pd.DataFrame:
    """Rows at spread-out inputs with the law's loss, times lognormal noise."""
    rng = np.random.default_rng(seed)
    inputs = {name: np.exp(rng.uniform(np.log(1e6), np.log(1e10), rows)) for name in law.inputs}
    loss = law.predict(**inputs) * np.exp(rng.normal(0.0, noise, rows))
    return pd.DataFrame(inputs | {"loss": loss})


@pytest.fixture(scope="session")
def table() -> Callable[..., pd.DataFrame]:
    """A maker of rows: table(law, noise=0, seed=0, rows=48)."""
    return make_table


@pytest.fixture(scope="session")
def chinchilla() -> Chinchilla:
    """The law that most tests draw rows from."""
    return Chinchilla(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367)


@pytest.fixture(params=TRUTHS, ids=lambda law: law.name)
def truth(request: pytest.FixtureRequest) -> Law:
    """One fitted law of each kind."""
    law: Law = request.param
    return law


@pytest.fixture(scope="session")
def epoch_245(mirror: Path) -> pd.DataFrame:
    """245 points of Hoffmann et al. 2022, figure 4, as extracted by Epoch."""
    raw = pd.read_csv(mirror / "epoch-research_analyzing-chinchilla" / "svg_extracted_data.csv")
    N = raw["Model Size"]
    return pd.DataFrame({"N": N, "D": raw["Training FLOP"] / (6 * N), "loss": raw["loss"]})


@pytest.fixture(scope="session")
def epoch_240(epoch_245: pd.DataFrame) -> pd.DataFrame:
    """The 240 points that the published replication fits: without the five highest losses."""
    return epoch_245.drop(epoch_245["loss"].nlargest(5).index)
