"""The two errors a user can meet; everything else that is raised is a defect of ours."""

import errno
import os

MACHINE_ERRORS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENETUNREACH}
)
"""A full disk, no network and the like: the call was right and the machine cannot do it (exit status 1)."""


class InputError(ValueError):
    """The call or its input is wrong: says what came, what was expected and what to do (exit status 2)."""


class FitError(RuntimeError):
    """No answer exists for this well-formed input, for example when every start diverges (exit status 1)."""


def machine_failure(error: BaseException | None) -> OSError | None:
    """Return the full disk or the like that an error comes from, at any depth, or None."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in MACHINE_ERRORS:
            return error
        for number in MACHINE_ERRORS:  # libraries in other languages pass on the system's words alone
            if os.strerror(number) in str(error):
                return OSError(number, os.strerror(number))
        error = error.__cause__ or error.__context__
    return None
