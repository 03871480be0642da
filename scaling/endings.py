"""How a command ends: exit status 0 done, 1 no answer, full disk or no network, 2 wrong call or input, 128 + n on a signal.

Whatever happens that is no defect of ours, one line on standard error says so.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from scaling.errors import FitError, InputError, machine_failure


class Stopped(BaseException):
    """Ctrl-C or SIGTERM, with its number; libraries that catch KeyboardInterrupt do not catch this."""


def end(work: Callable[[], Any]) -> NoReturn:
    """Do the work of a command line, a typer app outside its standalone mode, and end the process."""
    _prepare()
    try:
        status = work()
        sys.stdout.flush()
    except (InputError, FitError) as error:
        wrong = isinstance(error, InputError) and machine_failure(error) is None
        _fail(str(error), 2 if wrong else 1)
    except BrokenPipeError:
        _be_silent()  # the reader, such as head, has seen enough
        sys.exit(1)
    except OSError as error:
        _fail(*_about_system(error))
    except MemoryError as error:
        _fail(f"out of memory ({error}); ask for less, such as fewer --bootstrap draws", 1)
    except Stopped as stopped:
        kept = "finished runs are kept, the same command goes on from here"
        rest = kept if sys.argv[1:2] == ["run"] else "the work was not finished"
        _fail(f"stopped; {rest}", 128 + stopped.args[0])
    except Exception as error:
        if not hasattr(error, "format_message"):  # not one of typer's: a defect of ours, shown whole
            raise
        command = getattr(getattr(error, "ctx", None), "command_path", "scaling")
        _fail(f"{error.format_message().rstrip('.')}; see `{command} --help`", 2)
    sys.exit(status if isinstance(status, int) else 0)


def _prepare() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # a background job of a script ignores Ctrl-C
            signal.signal(number, _stop)
    for name in ("stdin", "stdout", "stderr"):
        setattr(sys, name, _usable(getattr(sys, name)))
    if not sys.warnoptions:  # what arithmetic on odd numbers means is said in the answer
        warnings.simplefilter("ignore", RuntimeWarning)


def _usable(stream: Any) -> Any:
    """Return a stream to which all our words can be written, also where the caller closed it."""
    if stream is None:
        nowhere = os.open(os.devnull, os.O_RDWR)  # takes the free number, so that no other file gets it
        os.set_inheritable(nowhere, True)
        return open(nowhere, "r+", encoding="utf-8")  # noqa: PTH123 - it stays open
    if not isinstance(stream, io.TextIOWrapper) or not stream.writable():
        return stream
    stream.reconfigure(errors="replace")
    try:
        "".join(map(chr, _PLAIN)).encode(stream.encoding)
    except UnicodeEncodeError:
        return _Plain(stream.detach(), stream.encoding, "replace", line_buffering=stream.line_buffering)
    return stream


_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_PLAIN = str.maketrans(
    {"×": "x", "−": "-", "–": "-", "∞": "inf", "·": "-", "±": "+-", "≥": ">=", "≤": "<=", "…": "..."}
)
"""Signs of ours that not every terminal has, and what stands for them there."""


class _Plain(io.TextIOWrapper):
    """Text for a terminal that lacks our signs: 10⁹ is written 10^9, so that no number is lost."""

    def write(self, text: str, /) -> int:
        text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda digits: "^" + digits[0].translate(_RAISED), text)
        return super().write(text.translate(_PLAIN))


def _stop(number: int, frame: object) -> NoReturn:
    raise Stopped(number)


def _about_system(error: OSError) -> tuple[str, int]:
    """Return line and status of an error of the operating system."""
    what = os.strerror(error.errno) if error.errno else str(error)
    what += f": {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"{what}; make room and give the same command again", 1
    return f"{what}; check that path or give another", 1 if machine_failure(error) else 2


def _fail(text: str, status: int) -> NoReturn:
    """End with one line of printable characters on standard error."""
    line = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
    with contextlib.suppress(OSError):  # it may lie on the full disk
        sys.stderr.write(f"scaling: {line}\n")
        sys.stderr.flush()
    _be_silent()
    sys.exit(status)


def _be_silent() -> None:
    """Keep Python from another attempt, at exit, to write what could not be written."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
