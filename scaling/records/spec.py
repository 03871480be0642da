"""Specs: frozen descriptions of a run, identified by their content.

A spec holds what decides the numbers of a run and nothing else: where it runs (device, folder, workers) is
circumstance. Its identity is ``sha256`` of its canonical JSON, so the same run asked for by two studies is
one run.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import typing
from dataclasses import dataclass
from types import UnionType
from typing import Any

from scaling.errors import InputError
from scaling.records.pretrain_spec import (
    CooldownSpec,
    CorpusData,
    ModelSpec,
    Optim,
    Precision,
    PretrainSpec,
    TaskData,
    check_seed,
)
from scaling.records.rl_spec import RLSpec, SamplingSpec, kept_steps
from scaling.records.typed import coerce, positive

__all__ = [
    "CooldownSpec",
    "CorpusData",
    "CountingSpec",
    "EvalSpec",
    "ModelSpec",
    "Optim",
    "Precision",
    "PretrainSpec",
    "RLSpec",
    "SamplingSpec",
    "Spec",
    "TaskData",
    "from_json",
    "kept_steps",
    "kind_of",
    "parents",
    "spec_id",
    "to_json",
]


@dataclass(frozen=True)
class CountingSpec:
    """Counting learners of ``santa_fe``: one capacity, a learner of its own for each number of tokens."""

    data: CorpusData
    """A ``santa_fe`` language."""
    levels: int
    """Levels they have room for: each can hold the 2^levels - 1 commonest facts."""
    tokens: tuple[int, ...]
    """Increasing token counts D, one learner each; no two learners read the same text."""
    heldout_tokens: int
    """Tokens of the held-out sample, one sample a learner, that its loss is measured on."""
    seed: int
    """Seeds all the texts."""

    def __post_init__(self) -> None:
        coerce(self)
        positive(self, "levels", "heldout_tokens")
        check_seed(self.seed)
        if not self.tokens or list(self.tokens) != sorted(set(self.tokens)) or self.tokens[0] <= 0:
            raise InputError(f"counting tokens must be positive and increasing, got {self.tokens}")


Spec = PretrainSpec | CooldownSpec | CountingSpec | RLSpec | SamplingSpec
"""Everything that has a folder of its own: runs, and samples of their checkpoints."""


@dataclass(frozen=True)
class EvalSpec:
    """One evaluation of one checkpoint; its id names the EVALS row."""

    run_id: str
    """Run that is evaluated."""
    step: int
    """Step of the evaluated checkpoint."""
    task: str
    """What is asked; ``next_token`` is the top-1 prediction of held-out tokens."""
    method: str
    """How the answer is drawn; ``greedy`` takes the likeliest."""
    problems: int
    """Number of problems."""

    def __post_init__(self) -> None:
        coerce(self)


SPEC_KINDS: dict[str, type[Any]] = {
    "pretrain": PretrainSpec,
    "cooldown": CooldownSpec,
    "counting": CountingSpec,
    "eval": EvalSpec,
    "rl": RLSpec,
    "sampling": SamplingSpec,
}


def kind_of(spec: Any) -> str:
    """Return the kind under which a spec is stored, such as "pretrain"."""
    for kind, cls in SPEC_KINDS.items():
        if type(spec) is cls:
            return kind
    raise InputError(f"{type(spec).__name__} is no spec; expected one of {', '.join(SPEC_KINDS)}")


def to_json(spec: Any) -> str:
    """Return the canonical JSON of a spec: sorted keys, no spaces, shortest float repr.

    Fields that are None by default are left out where they are: they came after specs that do not have them.
    """
    body = {"kind": kind_of(spec), **_body(spec)}
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)


def from_json(text: str) -> Any:
    """Return the spec that ``to_json`` wrote; ``InputError`` for anything else."""
    try:
        body = json.loads(text)
        return _build(SPEC_KINDS[body.pop("kind")], body)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"not a spec ({error}): {text[:80]!r}") from error


def spec_id(spec: Any) -> str:
    """Return the identity of a spec: the first 16 hex digits of sha256 of its canonical JSON."""
    return hashlib.sha256(to_json(spec).encode()).hexdigest()[:16]


def parents(spec: Spec) -> tuple[PretrainSpec | CooldownSpec | RLSpec, ...]:
    """Return the runs that must exist before this one can start."""
    if isinstance(spec, CooldownSpec):
        return (spec.trunk,)
    if isinstance(spec, RLSpec):
        return (spec.start,)
    return (spec.of,) if isinstance(spec, SamplingSpec) else ()


def _body(spec: Any) -> dict[str, Any]:
    """Return the fields that canonical JSON holds."""
    found = {}
    for field in dataclasses.fields(spec):
        value = getattr(spec, field.name)
        if value is not None or field.default is not None:
            found[field.name] = _body(value) if dataclasses.is_dataclass(value) else value
    return found


def _build(cls: type[Any], body: dict[str, Any]) -> Any:
    hints = typing.get_type_hints(cls)
    if unknown := set(body) - set(hints):
        raise KeyError(f"unknown fields {sorted(unknown)}")
    return cls(**{name: _value(hints[name], value) for name, value in body.items()})


def _value(hint: Any, value: Any) -> Any:
    """Return a field's value; of several kinds of spec, the one that has the fields."""
    several: tuple[type[Any], ...] = typing.get_args(hint) if isinstance(hint, UnionType) else (hint,)
    kinds = [kind for kind in several if dataclasses.is_dataclass(kind)]
    if not kinds:
        return value
    return _build(next((kind for kind in kinds if _has(kind, set(value))), kinds[0]), value)


def _has(kind: type[Any], names: set[str]) -> bool:
    """Return whether a kind of spec has fields of all these names and lacks none but such as are None by default."""
    fields = dataclasses.fields(kind)
    return {field.name for field in fields if field.default is not None} <= names <= {f.name for f in fields}
