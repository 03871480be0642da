"""Framed protocol buffers, as event files and W&B runs hold them; read by field number, no schema, nothing executed.

Field numbers of a protocol buffer never change their meaning, so a reader of a few fields needs no generated code,
and none of the packages (and their versions of protobuf) that wrote the file.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

Value = int | bytes
"""A varint as an unsigned number; anything else as its bytes, numbers in little-endian order."""


class DamagedError(ValueError):
    """Bytes that are no such record; says where."""


def fields(message: bytes) -> Iterator[tuple[int, Value]]:
    """Yield number and value of each field of a message; ``DamagedError`` where it ends too early."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == 2:
            length, at = _varint(message, at)
        else:
            length = {1: 8, 5: 4}.get(kind, -1)
        if length < 0 or at + length > len(message):
            raise DamagedError("a message ends inside a field")
        yield number, message[at : at + length]
        at += length


def message(value: Value) -> bytes:
    """Return a field that holds a message or text; ``DamagedError`` for a number."""
    if isinstance(value, int):
        raise DamagedError("a number stands where a message should be")
    return value


def text(value: Value) -> str:
    """Return a field's text."""
    return message(value).decode("utf-8", "replace")


def signed(value: Value) -> int:
    """Return a field as the whole number with a sign that its 64 bits stand for."""
    if isinstance(value, bytes):
        raise DamagedError("bytes stand where a number should be")
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


def number(value: Value, code: str) -> float:
    """Return the first number of bytes, ``code`` as in ``struct``; ``DamagedError`` where there are too few."""
    try:
        found: float = struct.unpack_from(f"<{code}", message(value))[0]
    except struct.error as error:
        raise DamagedError("too few bytes for a number") from error
    return found


def tf_records(path: Path) -> Iterator[bytes]:
    """Yield the records of a TFRecord file: length, its checksum, bytes, their checksum.

    ``DamagedError`` for a checksum that does not hold and a file that ends inside a record; what came before counts.
    Records beyond 64 KiB, images and the like, are not checked: sums of bytes are slow here, and they are skipped.
    """
    left = path.stat().st_size
    with path.open("rb") as file:
        while head := file.read(12):
            at = f"byte {file.tell() - len(head)}"
            if len(head) < 12:
                raise DamagedError(f"the file ends inside a record at {at}")
            length, checksum = struct.unpack("<QI", head)
            if checksum != _masked(head[:8]):
                raise DamagedError(f"the record at {at} is damaged")
            if length > left:
                raise DamagedError(f"the file ends inside a record at {at}")
            record, tail = file.read(length), file.read(4)
            if len(record) + len(tail) < length + 4:
                raise DamagedError(f"the file ends inside a record at {at}")
            if length <= 65536 and struct.unpack("<I", tail)[0] != _masked(record):
                raise DamagedError(f"the record at {at} is damaged")
            yield record


def block_records(content: bytes, header: int) -> Iterator[bytes]:
    """Yield the records of a log in blocks of 32 KiB, after ``header`` bytes: checksum, length, part, bytes.

    The layout is that of LevelDB's log, whose records may be split into first, middle and last parts.
    ``DamagedError`` as for ``tf_records``.
    """
    at, parts = header, b""
    while at < len(content):
        room = 32768 - at % 32768
        if room < 7:
            at += room
            continue
        if at + 7 > len(content):
            raise DamagedError(f"the file ends inside a record at byte {at}")
        checksum, length, part = struct.unpack_from("<IHB", content, at)
        if not (checksum or length or part):  # room that was set aside and never used
            at += room
            continue
        record = content[at + 7 : at + 7 + length]
        if len(record) < length:
            raise DamagedError(f"the file ends inside a record at byte {at}")
        if part not in (1, 2, 3, 4) or zlib.crc32(record, zlib.crc32(bytes([part]))) != checksum:
            raise DamagedError(f"the record at byte {at} is damaged")
        parts = record if part in (1, 2) else parts + record
        if part in (1, 4):
            yield parts
        at += 7 + length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise DamagedError("a message ends inside a number")


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


_CRC32C = _table()


def _masked(data: bytes) -> int:
    """Return the checksum of TFRecord files: CRC-32C, turned by 15 bits and moved."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC32C[(crc ^ byte) & 255] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
