"""The catalogue that is shipped, and what is said of a wrong one."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import scaling
from scaling import catalogue as room
from scaling import laws
from scaling.catalogue.showing import fit_command
from scaling.errors import InputError

HASH = "0" * 64
GOOD = f"""
[one]
about = "a test"
licence = "MIT"
repository = "some/one"
commit = "{"0" * 40}"
folder = "some_one"
files = [{{ path = "data/a b.csv", name = "a.csv", bytes = 3, sha256 = "{HASH}" }}]
expect = "nothing"
"""
ABBREVIATED = ["isoflops", "step_law_dense", "step_law_moe", "step_law_bootstrap"]
"""Sources of which only the first digits of a commit are known."""


def test_every_entry_says_what_it_is_and_where_it_comes_from() -> None:
    found = room.read()
    assert len(found) == 20
    for name, entry in found.items():
        assert (entry.name, bool(entry.reason)) == (name, not any(file.urls for file in entry.files))
        for one in (entry, *entry.also):
            names = laws.find(one.law).parameter_names() if one.law else ()
            assert {*one.fix, *one.expected} <= set(names)
            assert set(one.published) <= {*names, "N_exponent"}
        for file in entry.files:
            for url in file.urls:
                assert url.startswith("https://raw.githubusercontent.com/")
                assert name in ABBREVIATED or re.search("/[0-9a-f]{40}/", url)
    places = [(entry.folder, file.name) for entry in found.values() for file in entry.files]
    assert len(set(places)) == len(places)


def read(tmp_path: Path, text: str) -> dict[str, room.Entry]:
    path = tmp_path / "catalogue.toml"
    path.write_text(text)
    return room.read(path)


def test_addresses_are_made_of_repository_commit_and_path(tmp_path: Path) -> None:
    (file,) = read(tmp_path, GOOD.replace("expect", 'branch = "main"\nexpect'))["one"].files
    raw = "https://raw.githubusercontent.com/some/one"
    assert file.urls == (f"{raw}/{'0' * 40}/data/a%20b.csv", f"{raw}/main/data/a%20b.csv")
    assert file.name == "a.csv"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (HASH, "0" * 63 + "g", r"\[one\], file 1: sha256 is '0{63}g', expected 64 digits of 0-9a-f; correct it"),
        (HASH, "0" * 40, "sha256 is"),
        ("about", "abuot", "key 'abuot' is unknown; known are about, licence"),
        ("bytes", "size", "file 1: key 'size' is unknown; known are path, url"),
        ('about = "a test"\n', "", "about is missing; add it"),
        ("bytes = 3, ", "", "file 1: bytes is missing"),
        ('"a test"', "3", "about is 3, expected some text"),
        ("= 3", "= true", "bytes is True, expected a whole number"),
        ("= 3", "= 0", "bytes and rows count from 1 on"),
        ("0" * 40, "main", "commit is 'main', expected 40 digits"),
        ("some/one", "https://github.com/some/one", "repository is 'https://github.com/some/one', expected OWNER/NAME"),
        ("a.csv", "../a.csv", "name is '../a.csv', expected the name of one file"),
        ('"some_one"', '"/etc"', "folder is '/etc', expected the name of one file or folder"),
        ('path = "data/a b.csv", ', "", "needs path"),
        ('path = "data/a b.csv"', 'url = "file:///etc/passwd"', "url is 'file:///etc/passwd', expected https://"),
        ("expect =", "derived = true\nexpect =", "derived = true and reason go together"),
        ("expect =", 'derived = true\nreason = "built"\nexpect =', "a derived table has no path or url"),
        ("expect =", "map = { N = 3 }\nexpect =", "map has a value that is no text"),
        ("expect =", "fix = { E = '1' }\nexpect =", "fix has E = '1', expected a number; correct it"),
        ("expect =", "tuned = [3]\nexpect =", "tuned has a value that is no text"),
        ("expect =", "also = [{ law = 'power' }]\nexpect =", r"\[one\], also 1: name is missing; add it"),
        ("expect =", "also = [{ name = 'A b', expect = 'x' }]\nexpect =", "also 1: a name has small letters"),
        ("[one]", "[One]", "a name has small letters"),
        ("[one]", "one = 3\n[two]", r"\[one\] is 3, expected a table of keys"),
        ("[one]", "[one", "is not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_in_one_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert read(tmp_path, GOOD)
    with pytest.raises(InputError, match=says) as caught:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert str(tmp_path / "catalogue.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_catalogue_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml cannot be read"):
        room.read(tmp_path / "none.toml")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is not TOML"):
        room.read(tmp_path / "b.toml")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match="no data set is called 'epoch'; known are chinchilla_epoch, "):
        scaling.dataset("epoch")


def test_a_data_set_without_columns_of_laws_is_no_table() -> None:
    with pytest.raises(InputError, match="`scaling data fetch rl_qwen` gives its files as they are"):
        scaling.dataset("rl_qwen")


@pytest.fixture
def mirror() -> Path:
    folder = os.environ.get("SCALING_DATA_MIRROR")
    if not folder:
        pytest.skip("SCALING_DATA_MIRROR is not set: no outside data")
    return Path(folder)


@pytest.mark.target
def test_every_file_of_the_mirror_has_its_hash_size_and_rows(mirror: Path) -> None:
    for entry in room.read().values():
        for file, path in zip(entry.files, room.locate(entry), strict=True):
            assert path == mirror / entry.folder / file.name
            assert path.stat().st_size == file.bytes
            if file.rows is not None:
                table = pd.read_json(path, lines=True) if path.suffix == ".jsonl" else pd.read_csv(path)
                assert len(table) == file.rows


def test_a_further_fit_differs_in_what_it_names(tmp_path: Path) -> None:
    also = '[[one.also]]\nname = "lad"\nloss = "lad"\nexpect = "E = 1.5"\n'
    text = GOOD.replace("expect", 'law = "chinchilla"\nwhere = "loss < 3"\npublished = { E = 1 }\nexpect')
    entry = read(tmp_path, text + also)["one"]
    (further,) = entry.also
    assert (further.name, further.law, further.where, further.loss) == (
        "one_lad",
        "chinchilla",
        "loss < 3",
        "lad",
    )
    assert (dict(entry.published), dict(further.published), further.expected) == ({"E": 1}, {}, {"E": 1.5})
    assert fit_command(further, Path("a.csv")).endswith("--law chinchilla --where 'loss < 3' --loss lad")


@pytest.mark.target
def test_every_table_has_the_columns_that_the_catalogue_maps(mirror: Path) -> None:
    for entry in room.read().values():
        if entry.columns is not None:
            found = scaling.dataset(entry.name)
            assert {*entry.columns, "loss"} <= set(found)
            assert found[[*entry.columns, "loss"]].notna().all(axis=None)
            assert entry.cluster is None or len(set(found[entry.cluster])) > 1


@pytest.mark.target
def test_the_command_of_an_entry_finds_what_the_catalogue_expects(mirror: Path, tmp_path: Path) -> None:
    checked = 0
    for entry in room.read().values():
        for one in (entry, *entry.also):
            if one.one_command and one.expected:
                words = shlex.split(fit_command(one, *room.locate(entry)))[1:]
                options = ["--bootstrap", "0", "--json", str(tmp_path / "fit.json")]
                command = [sys.executable, "-m", "scaling.cli", *words, *options]
                subprocess.run(command, capture_output=True, check=True)
                found = json.loads((tmp_path / "fit.json").read_text())["parameters"]
                for name, value in one.expected.items():
                    assert found[name]["value"] == pytest.approx(value, rel=5e-6)
                checked += 1
    assert checked == 6


@pytest.mark.target
def test_other_rows_than_the_customary_ones(mirror: Path) -> None:
    assert len(scaling.dataset("chinchilla_epoch")) == 240
    assert len(scaling.dataset("chinchilla_epoch", where="loss > 0")) == 245
