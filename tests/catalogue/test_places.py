"""Mirror, then cache, then source; the hash is checked wherever a file comes from."""

import errno
from pathlib import Path

import pytest

from scaling import catalogue as room
from scaling.catalogue import download
from scaling.errors import InputError, machine_failure

CONTENT = b"size,D,loss\n" + b"".join(b"%d,%d,3.5\n" % (n, 20 * n) for n in range(1, 2000))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("SCALING_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SCALING_DATA_MIRROR", raising=False)
    monkeypatch.setattr(download, "WAITS_SECONDS", (0.0, 0.0))
    return tmp_path / "cache" / "data" / "some_one" / "one.csv"


@pytest.fixture
def entry(catalogue) -> room.Entry:
    return room.find("one", catalogue(one=CONTENT))


@pytest.fixture
def mirrored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "mirror" / "some_one" / "one.csv"
    path.parent.mkdir(parents=True)
    monkeypatch.setenv("SCALING_DATA_MIRROR", str(tmp_path / "mirror"))
    return path


def test_a_file_is_fetched_once(entry, web, cache: Path) -> None:
    assert room.state(entry) == "not fetched"
    assert room.locate(entry) == room.locate(entry) == [cache]
    assert cache.read_bytes() == CONTENT
    assert len(web.asked) == 1
    assert room.state(entry) == "cached"


def test_the_mirror_comes_first_and_is_left_alone(entry, web, cache: Path, mirrored: Path) -> None:
    assert room.locate(entry) == [cache]
    mirrored.write_bytes(CONTENT)
    assert room.locate(entry) == [mirrored]
    assert room.state(entry) == "mirrored"
    assert len(web.asked) == 1
    assert [path.name for path in mirrored.parent.iterdir()] == ["one.csv"]


def test_a_damaged_mirror_is_named_and_never_passed_over(entry, web, mirrored: Path) -> None:
    mirrored.write_bytes(CONTENT[:-1])
    with pytest.raises(
        InputError, match=r"one\.csv has sha256 .*, expected .*; replace the file or unset SCALING_"
    ):
        room.locate(entry)
    assert room.state(entry) == "damaged in the mirror"
    assert not web.asked


def test_a_folder_in_place_of_the_mirrors_file_is_named(entry, mirrored: Path) -> None:
    mirrored.mkdir()
    with pytest.raises(InputError, match=r"cannot read .*one\.csv"):
        room.locate(entry)


def test_a_mirror_that_is_no_folder_is_named(entry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCALING_DATA_MIRROR", "/no/such/place")
    for ask in (room.locate, room.state):
        with pytest.raises(InputError, match="SCALING_DATA_MIRROR is /no/such/place, which is no folder"):
            ask(entry)


def test_a_damaged_cache_is_fetched_again(entry, web, cache: Path) -> None:
    room.locate(entry)
    cache.write_bytes(CONTENT[:-1])
    assert room.state(entry) == "not fetched"
    room.locate(entry)
    assert cache.read_bytes() == CONTENT
    assert len(web.asked) == 2


def test_no_network_is_no_fault_of_the_call(entry, web, cache: Path, catalogue, tmp_path: Path) -> None:
    path = catalogue(one=CONTENT)
    path.write_text(path.read_text().replace(web.url, "http://127.0.0.1:1"))
    with pytest.raises(InputError) as caught:
        room.locate(room.find("one", path))
    assert machine_failure(caught.value).errno == errno.ENETUNREACH
    said = str(caught.value)
    assert said.startswith(
        "cannot fetch one: http://127.0.0.1:1/one.csv: Connection refused (tried 3 times); "
    )
    assert "set SCALING_DATA_MIRROR to a folder that has some_one/one.csv, or save the file as" in said
    assert str(cache) in said


def test_the_advice_to_save_the_file_by_hand_works(entry, web, cache: Path) -> None:
    web.refuses = [404]
    with pytest.raises(InputError, match=r"HTTP 404 .*or save the file as") as caught:
        room.locate(entry)
    assert machine_failure(caught.value) is None
    Path(str(caught.value).rpartition(" as ")[2]).write_bytes(CONTENT)
    assert room.locate(entry) == [cache]


def test_a_second_address_is_tried(catalogue, web, cache: Path) -> None:
    path = catalogue(one=CONTENT)
    good = room.find("one", path)
    (file,) = good.files
    web.files["/old.csv"] = b"x" * len(CONTENT)
    urls = (f"{web.url}/gone.csv", f"{web.url}/old.csv", *file.urls)
    files = (type(file)(file.name, file.sha256, file.bytes, urls=urls),)
    entry = type(good)(good.name, good.about, good.licence, good.folder, files, good.expect)
    assert room.locate(entry) == [cache]
    assert [path for path, _ in web.asked] == ["/gone.csv", "/old.csv", "/one.csv"]


def test_a_derived_table_comes_from_a_mirror_alone(tmp_path: Path, catalogue, mirrored: Path) -> None:
    text = (
        catalogue(one=CONTENT).read_text().replace('expect = "nothing"', 'expect = "nothing"\nderived = true')
    )
    text = text.replace("derived = true", 'derived = true\nreason = "built of many"')
    path = tmp_path / "derived.toml"
    path.write_text(text.replace(text[text.index("{ url") : text.index(", bytes")], '{ name = "one.csv"'))
    entry = room.find("one", path)
    assert room.state(entry) == "mirror only"
    with pytest.raises(InputError, match=r"one has no address \(built of many\); set SCALING_DATA_MIRROR"):
        room.locate(entry)
    mirrored.write_bytes(CONTENT)
    assert room.locate(entry) == [mirrored]


def test_a_table_is_read_with_the_columns_of_its_law(entry) -> None:
    found = room.reading(entry, where="N < 100")
    assert found.read == 1999
    assert found.frame["N"].tolist() == list(range(1, 100))
    assert found.sha256 == entry.files[0].sha256
    assert set(found.frame) == {"size", "D", "loss", "N"}


def test_a_file_where_the_cache_should_be_is_named(entry, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("mine")
    with pytest.raises(
        InputError, match=r"cannot write the data cache .*; make room there, or set SCALING_CACHE"
    ):
        room.locate(entry)
