"""A download ends with the right bytes or with none, whatever the server does."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from scaling.catalogue import download as room
from scaling.catalogue.download import Refused, Unreachable

CONTENT = bytes(range(256)) * 400
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(room, "WAITS_SECONDS", (0.0, 0.0))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "file.csv.part"


@pytest.fixture
def fetch(web, target: Path) -> Callable[[], None]:
    web.files["/file.csv"] = CONTENT

    def run() -> None:
        room.download(f"{web.url}/file.csv", target, SHA256, len(CONTENT))

    return run


def test_a_file_arrives_whole(web, fetch, target: Path, part: Path) -> None:
    fetch()
    assert target.read_bytes() == CONTENT
    assert not part.exists()
    assert web.asked == [("/file.csv", None)]


@pytest.mark.parametrize("resets", [False, True])
@pytest.mark.parametrize("says_length", [False, True])
def test_a_transfer_that_dies_goes_on_where_it_stopped(
    web, fetch, target: Path, resets: bool, says_length: bool
) -> None:
    web.dies_after, web.resets, web.says_length = [30_000, 20_000], resets, says_length
    fetch()
    assert target.read_bytes() == CONTENT
    assert [wanted for _, wanted in web.asked] == [None, "bytes=30000-", "bytes=50000-"]


def test_a_server_without_ranges_gives_the_file_from_the_start(web, fetch, target: Path) -> None:
    web.ranges, web.dies_after = False, [30_000, 50_000]
    fetch()
    assert target.read_bytes() == CONTENT
    assert len(web.asked) == 3


def test_a_server_that_always_dies_at_the_same_place_is_given_up(
    web, fetch, target: Path, part: Path
) -> None:
    web.ranges, web.dies_after = False, [30_000] * 9
    with pytest.raises(Unreachable, match=rf"stopped after 30000 of {len(CONTENT)} bytes \(tried 3 times\)"):
        fetch()
    assert not target.exists()
    assert part.read_bytes() == CONTENT[:30_000]
    assert len(web.asked) == 4
    web.ranges, web.dies_after = True, []
    fetch()
    assert target.read_bytes() == CONTENT
    assert web.asked[-1] == ("/file.csv", "bytes=30000-")


def test_what_was_kept_and_is_damaged_is_fetched_again(web, fetch, target: Path, part: Path) -> None:
    for kept in (b"x" * 5000, b"x" * len(CONTENT), b"x" * (len(CONTENT) + 1)):
        part.write_bytes(kept)
        fetch()
        assert target.read_bytes() == CONTENT
        assert not part.exists()
        target.unlink()


@pytest.mark.parametrize("status", [404, 403, 410])
def test_an_address_without_the_file_is_asked_once(web, fetch, target: Path, status: int) -> None:
    web.refuses = [status]
    with pytest.raises(Refused, match=f"HTTP {status}"):
        fetch()
    assert len(web.asked) == 1
    assert not target.exists()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(web, fetch, target: Path, status: int) -> None:
    web.refuses = [status, status]
    fetch()
    assert target.read_bytes() == CONTENT
    web.refuses = [status] * 3
    target.unlink()
    with pytest.raises(Unreachable, match=rf"HTTP {status} .*\(tried 3 times\)"):
        fetch()


@pytest.mark.parametrize("says_length", [False, True])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"x" * len(CONTENT), "its bytes have sha256"),
        (CONTENT + b"x", "it holds|it gives more than"),
        (b"<html>log in</html>", "it holds|it stopped after"),
    ],
)
def test_other_content_is_never_taken(
    web, fetch, target: Path, content: bytes, reason: str, says_length: bool
) -> None:
    web.files["/file.csv"], web.says_length = content, says_length
    with pytest.raises((Refused, Unreachable), match=reason):
        fetch()
    assert not target.exists()


def test_a_slow_server_is_awaited_and_a_silent_one_is_not(
    web, fetch, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "TIMEOUT_SECONDS", 0.5)
    web.pause_seconds = 0.01
    fetch()
    assert target.read_bytes() == CONTENT
    target.unlink()
    web.pause_seconds = 3.0
    with pytest.raises(Unreachable, match="timed out"):
        fetch()


def test_a_server_that_gives_another_part_is_refused(web, fetch, target: Path, part: Path) -> None:
    part.write_bytes(CONTENT[:100])
    web.shift = 1
    with pytest.raises(Refused, match="another part of the file than it was asked for"):
        fetch()
    assert not target.exists()
    assert part.read_bytes() == CONTENT[:100]


def test_nobody_at_the_address(target: Path) -> None:
    with pytest.raises(Unreachable, match="refused"):
        room.download("http://127.0.0.1:1/file.csv", target, SHA256, len(CONTENT))
    with pytest.raises(Unreachable, match="tried 3 times"):
        room.download("http://no-such-host.invalid/file.csv", target, SHA256, len(CONTENT))
