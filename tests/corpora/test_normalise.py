"""One form for one text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaling.corpora.normalise import normalise


@given(st.text())
def test_it_settles_and_leaves_no_separator(text: str) -> None:
    once = normalise(text)
    assert normalise(once.decode()) == once
    assert b"\0" not in once
    assert b"\r" not in once
    assert once == b"" or once.endswith(b"\n")


@pytest.mark.parametrize("text", ["a\nb\n", "a\r\nb\r\n", "a\rb", "\ufeffa\nb", "\n\na\nb\n\n", "a\0\nb"])
def test_machines_agree(text: str) -> None:
    assert normalise(text) == b"a\nb\n"


def test_what_is_inside_stays() -> None:
    assert normalise("  a  \n\n\tb é\n") == "  a  \n\n\tb é\n".encode()
    assert normalise(" \n\t\n") == b""
    assert normalise("\ud800") == b"?\n"
