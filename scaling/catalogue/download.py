"""One file from the network: a try goes on where the last one stopped, and the hash decides what is whole."""

from __future__ import annotations

import hashlib
import http.client
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

TIMEOUT_SECONDS = 30.0
"""Silence of a server that counts as its death."""
WAITS_SECONDS = (0.5, 2.0)
"""Pauses after tries in a row that brought nothing; after one more such try an address is given up."""
_CHUNK = 65536
_LATER = frozenset({408, 425, 429})
"""Answers, beside those from 500 on, after which the same question may do better."""


class Unreachable(Exception):  # noqa: N818 - it says what the address is
    """Nobody answers at an address, or not to the end: another day it may."""


class Refused(Exception):  # noqa: N818 - it says what happened
    """An address answers, and what it gives is not the file."""


def download(url: str, target: Path, sha256: str, size: int) -> None:
    """Bring the file of an address to ``target`` by an atomic rename, once its bytes have the hash.

    What arrives is kept in ``<target>.part``, also when this fails, and the next try asks for the rest alone (HTTP
    Range). Where a resumed file has another hash, what was kept is thrown away and everything asked for once more.
    Only one process at a time may do this for a target. Raises Unreachable or Refused with the reason, and OSError
    when the disk is full or cannot be written.
    """
    part = target.with_name(f"{target.name}.part")
    resumed = _held(part) > 0
    while True:
        _complete(url, part, size)
        found = hash_of(part)
        if found == sha256:
            part.replace(target)
            return
        part.unlink()
        if not resumed:
            raise Refused(f"its bytes have sha256 {found[:12]}..., expected {sha256[:12]}...")
        resumed = False


def hash_of(path: Path) -> str:
    """Return the sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _held(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _complete(url: str, part: Path, size: int) -> None:
    """Try until ``part`` has all its bytes, or until several tries in a row have brought nothing new."""
    most, idle = _held(part), 0
    while True:
        try:
            _once(url, part, size)
        except Unreachable as error:
            held = _held(part)
            idle = 0 if held > most else idle + 1
            most = max(most, held)
            if idle > len(WAITS_SECONDS):
                raise Unreachable(f"{error} (tried {idle} times)") from error
            time.sleep(WAITS_SECONDS[max(idle - 1, 0)])
        else:
            return


def _once(url: str, part: Path, size: int) -> None:
    held = _held(part)
    if held == size:
        return
    if held > size:
        part.unlink()
        held = 0
    headers = {"User-Agent": "scaling-suite", "Accept-Encoding": "identity"}
    if held:
        headers["Range"] = f"bytes={held}-"
    with _ask(Request(url, headers=headers), part, size) as answer:
        start = _start(answer, held, size)
        with part.open("r+b" if part.exists() else "wb") as file:
            file.seek(start)
            file.truncate()
            for chunk in _chunks(answer):
                start += len(chunk)
                if start > size:
                    raise Refused(f"it gives more than the {size} bytes expected")
                file.write(chunk)
    if start < size:
        raise Unreachable(f"it stopped after {start} of {size} bytes")


def _ask(request: Request, part: Path, size: int) -> http.client.HTTPResponse:
    try:
        answer: http.client.HTTPResponse = urlopen(request, timeout=TIMEOUT_SECONDS)
    except HTTPError as error:
        error.close()
        what = f"HTTP {error.code} {error.reason}"
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:  # there is less than was kept
            part.unlink(missing_ok=True)
            _check_length(error.headers.get("Content-Range", "").removeprefix("bytes */"), size)
        elif error.code not in _LATER and error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Refused(what) from error
        raise Unreachable(what) from error
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(_reason(error)) from error
    return answer


def _start(answer: http.client.HTTPResponse, held: int, size: int) -> int:
    """Return the place in the file from which the answer gives it: where we asked for, or the beginning."""
    whole = answer.headers.get("Content-Length", "")
    start = 0
    if answer.status == http.HTTPStatus.PARTIAL_CONTENT:
        described = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
        if described is None or int(described[1]) != held:
            raise Refused("it answers with another part of the file than it was asked for")
        start, whole = held, described[2]
    _check_length(whole, size)
    return start


def _check_length(said: str, size: int) -> None:
    if said.isdigit() and int(said) != size:
        raise Refused(f"it holds {said} bytes, expected {size}")


def _chunks(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """Yield what arrives; errors of the network alone become Unreachable."""
    while True:
        try:
            chunk = answer.read1(_CHUNK)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(_reason(error)) from error
        if not chunk:
            return
        yield chunk


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, URLError) else error
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
