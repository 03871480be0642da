"""`scaling data`: files that arrive once, whole and checked, and one clear line where they do not."""

import shlex
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

CONTENT = b"size,D,loss\n" + b"".join(
    b"%d,%d,%.6f\n" % (N, D, 1.8 + 400 / N**0.34 + 400 / D**0.3)
    for N in np.geomspace(1e5, 1e7, 6)
    for D in np.geomspace(1e7, 1e9, 5)
)
LONG = b"size,D,loss\n" + b"1e6,2e7,3.5\n" * 16_000


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"SCALING_CACHE": str(tmp_path / "cache"), "SCALING_DATA_MIRROR": "", "no_proxy": "*"}


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "data" / "some_one" / "one.csv"


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_the_list_says_where_each_data_set_is(command, ok, catalogue, env) -> None:
    path = catalogue(one=CONTENT, two=LONG)
    before = ok(command("data", "list", "--catalogue", path, env=env)).splitlines()
    ok(command("data", "fetch", "one", "--catalogue", path, env=env))
    after = ok(command("data", "list", "--catalogue", path, env=env)).splitlines()
    assert [line.split()[0] for line in before] == ["one", "two"]
    assert ["not fetched" in line for line in before + after] == [True, True, False, True]
    assert "CC0-1.0" in before[0]
    assert "192.0 kB" in before[1]
    assert "cached" in after[0]


def test_the_shipped_catalogue_is_listed_one_line_each(command, ok, env) -> None:
    out = ok(command("data", "list", env=env)).splitlines()
    assert len(out) == 20
    assert all(word in out[0] for word in ("chinchilla_epoch", "none stated", "245 rows", "not fetched"))
    assert "mirror only" in next(line for line in out if line.startswith("gadre_testbed"))


def test_what_is_printed_can_be_pasted(command, ok, catalogue, env, target: Path) -> None:
    out = ok(command("data", "fetch", "--catalogue", catalogue(one=CONTENT), env=env)).splitlines()
    assert out[0] == f"one: {target}"
    pasted = shlex.split(out[1])
    assert pasted == ["scaling", "fit", str(target), "--law", "chinchilla", "--map", "N=size"]
    assert "rows: 30 used of 30 read" in ok(command(*pasted[1:], "--bootstrap", 0))


def test_wrong_calls_are_refused_in_one_line(command, one_line, catalogue, env) -> None:
    one_line(command("data", env=env), 2, "Missing command", "data --help")
    one_line(
        command("data", "fetch", "none", env=env),
        2,
        "no data set is called 'none'; known are chinchilla_epoch",
    )
    one_line(command("data", "list", "--catalogue", "none.toml", env=env), 2, "none.toml cannot be read")
    derived = command("data", "fetch", "gadre_testbed", env=env)
    one_line(
        derived, 2, "has no address (built from the files of exp_data, one a model)", "SCALING_DATA_MIRROR"
    )
    wrong = {**env, "SCALING_DATA_MIRROR": "/none"}
    for what in ("list", "fetch"):
        one_line(command("data", what, env=wrong), 2, "SCALING_DATA_MIRROR is /none, which is no folder")


def test_without_a_network_one_line_says_what_to_do(
    command, one_line, web, catalogue, env, target: Path
) -> None:
    path = catalogue(one=CONTENT, two=LONG)
    path.write_text(path.read_text().replace(web.url, "http://127.0.0.1:1"))
    run = command("data", "fetch", "--catalogue", path, env=env)
    one_line(run, 1, "cannot fetch one: http://127.0.0.1:1/one.csv: Connection refused (tried 3 times)")
    one_line(
        run, 1, "set SCALING_DATA_MIRROR to a folder that has some_one/one.csv", f"save the file as {target}"
    )
    assert "two.csv" not in run.stderr, "where the network is away, the others are not asked for"


def test_one_dead_address_does_not_keep_the_others(
    command, one_line, web, catalogue, env, target: Path
) -> None:
    path = catalogue(dead=CONTENT, one=CONTENT, other=LONG)
    web.files["/other.csv"] = LONG.replace(b"3.5", b"3.6")
    del web.files["/dead.csv"]
    run = command("data", "fetch", "--catalogue", path, env=env)
    one_line(run, 2, "2 data sets are missing, the first: cannot fetch dead:", "HTTP 404")
    assert f"one: {target}" in run.stdout
    assert sorted(p.name for p in target.parent.iterdir() if p.suffix == ".csv") == ["one.csv"]


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_command_that_is_stopped_goes_on_where_it_was(
    starter, command, ok, web, catalogue, env, target: Path, tmp_path: Path, number: int, status: int
) -> None:
    fetch = ("data", "fetch", "one", "--catalogue", catalogue(one=LONG))
    part = target.with_name("one.csv.part")
    web.pause_seconds = 0.02
    process = starter(*fetch, cwd=tmp_path, env=env)
    until(lambda: part.is_file() and part.stat().st_size > 20_000)
    process.send_signal(number)
    _, err = process.communicate()
    assert process.returncode == status
    assert err == ("" if number == signal.SIGKILL else "scaling: stopped; the work was not finished\n")
    assert not target.exists()
    kept, web.pause_seconds = part.stat().st_size, 0
    assert 20_000 < kept < len(LONG)
    ok(command(*fetch, env=env))
    assert target.read_bytes() == LONG
    assert web.asked == [("/one.csv", None), ("/one.csv", f"bytes={kept}-")]
    assert not part.exists()


def test_two_commands_at_once_fetch_a_file_once(
    starter, web, catalogue, env, target: Path, tmp_path: Path
) -> None:
    fetch = ("data", "fetch", "--catalogue", catalogue(one=LONG))
    web.pause_seconds = 0.01
    both = [starter(*fetch, cwd=tmp_path, env=env) for _ in range(2)]
    for process in both:
        out, err = process.communicate()
        assert (process.returncode, err) == (0, "")
        assert f"one: {target}" in out
    assert target.read_bytes() == LONG
    assert len(web.asked) == 1


def test_a_cache_that_may_not_be_written_is_named(command, one_line, disk, catalogue, env) -> None:
    folder = disk.unwritable()
    run = command(
        "data", "fetch", "--catalogue", catalogue(one=CONTENT), env={**env, "SCALING_CACHE": str(folder)}
    )
    one_line(run, 2, f"cannot write the data cache {folder}", "SCALING_CACHE to a folder that can be written")


def test_a_cache_that_may_not_be_written_is_still_read(command, ok, disk, catalogue, web, env) -> None:
    if not disk.mounted:
        pytest.skip("no disk can be mounted here")
    fetch = ("data", "fetch", "--catalogue", catalogue(one=CONTENT))
    env = {**env, "SCALING_CACHE": str(disk.path)}
    ok(command(*fetch, env=env))
    disk.unwritable()
    ok(command(*fetch, env=env))
    assert len(web.asked) == 1


def test_a_full_disk_keeps_what_arrived_and_with_room_the_rest_comes(
    one_line, ok, disk, catalogue, web, env, tmp_path: Path
) -> None:
    fetch = ("data", "fetch", "--catalogue", catalogue(one=LONG))
    env = {**env, "SCALING_CACHE": str(disk.path)}
    run = disk.run(*fetch, cwd=tmp_path, env=env)
    one_line(run, 1, "cannot write the data cache", "make room there")
    folder = disk.path / "data" / "some_one"
    assert not (folder / "one.csv").exists()
    kept = (folder / "one.csv.part").stat().st_size
    assert 0 < kept <= disk.limit * 1024
    disk.empty()
    ok(disk.run(*fetch, cwd=tmp_path, env=env))
    assert (folder / "one.csv").read_bytes() == LONG
    assert web.asked[1:] == [("/one.csv", f"bytes={kept}-")]
