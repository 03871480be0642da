"""The two errors a user can meet; everything else that is raised is a defect of ours."""


class InputError(ValueError):
    """The call or its input is wrong: says what came, what was expected and what to do (exit status 2)."""


class FitError(RuntimeError):
    """No answer exists for this well-formed input, for example when every start diverges (exit status 1)."""
