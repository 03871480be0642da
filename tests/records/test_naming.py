"""Columns from names: any pattern gives columns or one line, and none searches for longer than a moment."""

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scaling.errors import InputError
from scaling.records import naming
from scaling.records.naming import name_columns, searched

NAMES = ["190M-1xC.csv", "370M-5xC.csv", "1.5B-10xC.csv"]


def test_named_groups_become_columns() -> None:
    found = name_columns("(?P<size>[0-9.]+)(?P<unit>[MB])-(?P<multiple>[0-9]+)xC", NAMES)
    assert found["size"].tolist() == [190, 370, 1.5]
    assert found["unit"].tolist() == ["M", "M", "B"]
    assert found["multiple"].tolist() == [1, 5, 10]


def test_a_group_without_a_part_in_the_match_is_missing() -> None:
    found = name_columns("(?P<size>[0-9]+)M|(?P<large>[0-9.]+)B", NAMES)
    assert found["size"].isna().tolist() == [False, False, True]
    assert found["large"].dropna().tolist() == [1.5]


def test_words_stay_words() -> None:
    assert name_columns("(?P<kind>[a-z]+)", ["none.csv", "nan.csv"])["kind"].tolist() == ["none", "nan"]


def test_a_pattern_with_a_slash_sees_the_folders() -> None:
    path = Path("runs/190M/metrics.csv")
    assert searched(path, "(?P<size>[0-9]+)M/") == "runs/190M/metrics.csv"
    assert searched(path, "(?P<size>[0-9]+)M") == "metrics.csv"


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(?P<size>[0-9]+", "is no regular expression (missing ), unterminated subpattern"),
        ("(?P<1size>x)", "is no regular expression (bad character in group name"),
        ("[0-9]+M", "names no group; give each column as (?P<name>...)"),
        ("(?P<size>[0-9]+)T", "matches nothing in '190M-1xC.csv'"),
        ("(?P<size>[0-9]+)M", "matches nothing in '1.5B-10xC.csv'; correct the pattern, or leave that one out"),
        ("(" * 5000 + ")" * 5000, "is no regular expression"),
        ("(?P<a>x{99999999999})", "is no regular expression"),
        ("", "names no group"),
        ("\ud800", "names no group"),
    ],
)  # fmt: skip
def test_patterns_that_say_nothing_are_refused_in_one_line(pattern: str, says: str) -> None:
    with pytest.raises(InputError, match=re.escape(says)) as caught:
        name_columns(pattern, NAMES)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "pattern", ["(?P<x>(a+)+)$", "(?P<x>(a|a)*)$", r"(?P<x>(\w*)*)-$", "(?P<x>(a?){40}a{40})$"]
)
def test_a_search_without_end_is_ended(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(InputError, match=r"for more than 0\.5 seconds; give a simpler pattern"):
        name_columns(pattern, ["a" * 200 + "!"])
    assert time.monotonic() - began < 60


PARTS = ["(?P<a>", "(?P<b>", "(", ")", "[", "]", "*", "+", "?", "M", r"\d", "|", "{2}", "\\", "^", "\n", "é"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PARTS)))
def test_any_pattern_gives_columns_or_one_line(parts: list[str]) -> None:
    try:
        found = name_columns("".join(parts), NAMES)
    except InputError as error:
        assert str(error)
        assert "\n" not in str(error)
        return
    assert len(found) == len(NAMES)
    assert set(found.columns) <= {"a", "b"}
