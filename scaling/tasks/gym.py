"""Problems of the package reasoning-gym (extra `gym`): prompts, completions and answers are free text, its verifier decides.

This is no `Task`: its text is not in our 53 characters, so that there are no tokens, and no thinking traces, budgets or
difficulties, only the package's options. It shares with a task what problems are (a pure function of seed and index), the
split by hash, answers, scores, chance and a version. It is not on the shelf `ALL`. Source: Stojanovski et al. 2025,
arXiv:2505.24760.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
import numpy.typing as npt

from scaling.errors import InputError
from scaling.mixing import words_of
from scaling.tasks.task import HELD_OUT, Split, Whole

OPENING, CLOSING = "<answer>", "</answer>"
"""What the answer stands between, at the end of a completion: the package's own marks."""
ASKED = f"\nEnd with the answer between {OPENING} and {CLOSING}."
"""Ends a prompt."""
LONGEST = 1 << 14
"""Characters from which an answer is not read; the longest of the package's own that was seen has 4,474."""
BESIDE = "gives full credit to an answer with another beside it"
"""A reason to refuse a set: a guesser would name several answers."""
UNFIT = {
    "runs answers as Python code": (
        "binary_matrix", "countdown", "intermediate_integration", "n_queens", "polynomial_multiplication", "puzzle24",
        "simple_integration", "spiral_matrix", "string_insertion",
    ),
    "makes other problems of the same seed in another process": (
        "codeio", "isomorphic_strings", "knight_swap", "list_functions", "ransom_note", "word_ladder",
    ),
    "has no right answers of its own": (
        "boxnet", "graph_color", "propositional_logic", "rubiks_cube", "rush_hour",
    ),
    BESIDE: (
        "advanced_geometry", "fraction_simplification", "gsm_symbolic", "kakurasu", "knights_knaves", "letter_jumble",
        "number_format", "polynomial_equations", "quantum_lock", "sokoban", "survo", "time_intervals", "tower_of_hanoi",
        "word_sorting",
    ),
    "gives full credit to what is no answer": ("coin_flip", "complex_arithmetic", "game_of_life_halting"),
    "seeds numpy for the whole process": ("pool_matrix",),
    "is made of other sets, which are to be used one by one": ("composite",),
}  # fmt: skip
"""Sets that are refused, by reason: 39 of the 106 of 0.1.25, as found in its code and on 30 problems or more of each set.

Any other is refused for `BESIDE` where its first few problems under the options given show it.
"""
_TRIES = 256
"""Problems after which a split seems to be empty."""
_LOOKED_AT = 3
"""Problems on which a set is tried as it is made."""
_NO_ANSWERS = ("", "a", "0", "nan")
"""Guesses to which no verifier should give credit."""


class GymTask:
    """One set of problems of the package, with its options; a problem's key is a seed of its own, 0 to 2^32 - 1.

    Item i of seed s is item i - 1 of seed s + 1 there, so nearby seeds share nearly all problems; here each problem has a
    scattered seed and is its item 0. The verifiers are the package's: some are lenient about how an answer is written, and
    one can be made to take long.
    """

    def __init__(self, dataset: str, **options: Any) -> None:
        """`options` are those of the package's config for the set, without `seed` and `size`.

        Raises InputError without the package, for an unknown set, one of `UNFIT` or that is found to be so, and options
        that it does not take.
        """
        for reason, names in UNFIT.items():
            if dataset in names:
                raise InputError(f"set {dataset} of reasoning-gym {reason}; choose another set")
        known = _package().factory.DATASETS
        if dataset not in known:
            fit = sorted(set(known) - {name for names in UNFIT.values() for name in names})
            raise InputError(f"reasoning-gym has no set {dataset!r}; known: {', '.join(fit)}")
        if taken := sorted({"seed", "size"} & set(options)):
            raise InputError(f"{taken[0]} is no option of a set here: problems take a seed and an index")
        self.dataset, self.options = dataset, options
        try:
            items = [self._item(key) for key in range(_LOOKED_AT)]
        except (AssertionError, TypeError, ValueError) as error:
            why = " ".join(str(error).split())
            raise InputError(
                f"set {dataset} of reasoning-gym cannot be made with {options}: {why}"
            ) from error
        if _takes_more(items):
            raise InputError(f"set {dataset} of reasoning-gym {BESIDE}; choose another set")

    @property
    def name(self) -> str:
        """`reasoning_gym/` and the set."""
        return f"reasoning_gym/{self.dataset}"

    @property
    def version(self) -> str:
        """Of this adapter and of the package, which may change prompts and answers with any release."""
        from importlib.metadata import version

        return f"1/{version('reasoning-gym')}"

    def chance(self, count: int = 200) -> float:
        """Score of the best of a few blind guesses, measured: the commonest answers of `count` problems, on others.

        Many sets have few answers, so that it is high: look before one is used. It is no bound for a better guesser.
        """
        seen, others = (self.problems(0, np.arange(count) + start) for start in (0, count))
        common = [answer for answer, _ in Counter(self.answers(seen)).most_common(8)]
        made = [self._item(key) for key in others.tolist()]
        return max(
            float(np.mean([_credit(*one, guess) for one in made])) for guess in (*_NO_ANSWERS, *common)
        )

    def held_out(self, keys: Whole) -> npt.NDArray[np.bool_]:
        """Which problems are held out of all training, (R,): one in ten, by a hash of set and question, not of options."""
        return np.array([self._held(key) for key in keys.tolist()], dtype=np.bool_)

    def problems(self, seed: int, index: npt.ArrayLike, split: Split = "train") -> Whole:
        """Keys (R,) of the problems `index` (R,) of a seed, a pure function of both; InputError for an empty split."""
        words = words_of(seed, np.asarray(index, dtype=np.int64), _TRIES) >> np.uint64(32)
        keys = [
            next((key for key in row if self._held(key) == (split == "held_out")), -1)
            for row in words.tolist()
        ]
        if -1 in keys:
            raise InputError(
                f"task {self.name} with {self.options} has no problem in split {split}, or hardly any"
            )
        return np.array(keys, dtype=np.int64)

    def prompts(self, keys: Whole) -> list[str]:
        """The questions, and in which form to answer."""
        return [self._item(key)[1]["question"] + ASKED for key in keys.tolist()]

    def answers(self, keys: Whole) -> list[str]:
        """A right answer to each, R of them."""
        return [self._item(key)[1]["answer"] for key in keys.tolist()]

    def scores(self, keys: Whole, completions: Sequence[str]) -> npt.NDArray[np.float64]:
        """1 where a completion ends in an answer to which the package's verifier gives full credit, else 0, (R,)."""
        made = {key: self._item(key) for key in set(keys.tolist())}
        pairs = zip(keys.tolist(), completions, strict=True)
        return np.array([_credit(*made[key], terminal_answer(said)) for key, said in pairs])

    def _item(self, key: int) -> tuple[Any, dict[str, Any]]:
        """The set and its item 0 under a seed."""
        package = _package()
        with redirect_stdout(StringIO()):  # some sets print as they go
            made = package.create_dataset(self.dataset, seed=key, size=1, **self.options)
            return made, made[0]

    def _held(self, key: int) -> bool:
        asked = f"{self.dataset}\n{self._item(key)[1]['question']}"
        return int.from_bytes(hashlib.sha256(asked.encode()).digest()[:8], "big") % HELD_OUT == 0


def terminal_answer(completion: str) -> str | None:
    """What stands between the one `<answer>` and the one `</answer>`, which ends the completion; None for any other form."""
    before, opening, rest = completion.partition(OPENING)
    answer, closing, after = rest.partition(CLOSING)
    right = opening and closing and CLOSING not in before and OPENING not in answer and not after.strip()
    return answer.strip() if right and len(answer) < LONGEST else None


def _credit(made: Any, item: dict[str, Any], answer: str | None) -> float:
    """1 for full credit, else 0; an answer on which the package's verifier fails is a wrong one."""
    if answer is None:
        return 0.0
    try:
        with redirect_stdout(StringIO()):
            return float(made.score_answer(answer, item) == 1.0)
    except Exception:  # whatever a verifier of theirs may raise on text that it does not expect
        return 0.0


def _takes_more(items: Sequence[tuple[Any, dict[str, Any]]]) -> bool:
    """Whether any problem's answer has full credit with a wrong one, of another problem or 7, beside it."""
    answers = [str(item["answer"]) for _, item in items]
    return any(
        _credit(made, item, text)
        for place, (made, item) in enumerate(items)
        for wrong in ("7", answers[place - 1])
        if wrong.strip("0") and not _credit(made, item, wrong)  # a number may start with 0
        for text in beside(answers[place], wrong)
    )


def beside(answer: str, wrong: str) -> list[str]:
    """An answer said in one breath with a wrong one, in both orders, and with a mark."""
    pairs = ((answer, wrong), (wrong, answer))
    return [f"{answer}!", *(one + mark + other for one, other in pairs for mark in (" or ", ", ", ","))]


def _package() -> Any:
    """The package; InputError where it is not installed."""
    try:
        import reasoning_gym
    except ModuleNotFoundError as error:
        raise InputError(
            "problems of reasoning-gym need that package: pip install 'scaling-suite[gym]'"
        ) from error
    return reasoning_gym
