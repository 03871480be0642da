"""What a study of tasks trains with when nobody says otherwise. Each constant stands beside its source."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from scaling import tasks
from scaling.errors import InputError
from scaling.records.cost import spec_model
from scaling.records.rl_spec import Algorithm, RLSpec, Sampler, SamplingSpec
from scaling.records.spec import CooldownSpec, ModelSpec, PretrainSpec, TaskData, kept_steps
from scaling.tasks.setting import read
from scaling.tasks.task import Split

PROMPTS, GROUP = 24, 16
"""Problems of an RL step and completions of each: a step takes about half a second on one core at .1M parameters."""
LR = 1e-4
"""Peak learning rate of RL: at 3e-4 the same runs rose twice as fast and fell back between steps."""
CONTROLLED = 0.2
"""Share of examples that ask for their thinking budget. At .5 a model of .1M parameters that had seen 8M tokens solved 4 %
of words of 6 letters that asked for none, at .2 36 %, and 99 and 93 % under its two longest budgets."""


def traces(
    task: str,
    difficulties: Sequence[int],
    budgets: Sequence[str] | None = None,
    controlled: float = CONTROLLED,
) -> TaskData:
    """Return a task's worked problems as training text, all budgets alike often."""
    one = tasks.find(task)
    taught = tuple(one.taught if budgets is None else budgets)
    return TaskData(
        task, one.version, tuple(difficulties), taught, (1 / len(taught),) * len(taught), controlled
    )


def learning(
    start: PretrainSpec | CooldownSpec,
    task: str,
    difficulties: Sequence[int],
    steps: int,
    *,
    max_tokens: int,
    seed: int,
    checkpoints: Sequence[int] | None = None,
    algorithm: Algorithm = "cispo",
    lr: float = LR,
    prompts: int = PROMPTS,
    group: int = GROUP,
    staleness: int = 0,
    sampler: Sampler = "uniform",
    problems: int | None = None,
    reward_noise: float = 0.0,
    budget_flops: int | None = None,
) -> RLSpec:
    """Return the recipe's RL run from the end of a pretraining run; checkpoints by default at the last step alone.

    Raises ``InputError`` for more problems than the task has, difficulties that it does not have, and a model that cannot
    read and write so much.
    """
    one = tasks.find(task)
    for difficulty in difficulties:
        _fits(spec_model(start), one, difficulty, None, max_tokens)
    if problems is not None:
        for difficulty in difficulties:
            _enough(task, seed, problems, difficulty, "train")
    return RLSpec(
        start=start,
        task=task,
        task_version=one.version,
        difficulties=tuple(difficulties),
        algorithm=algorithm,
        steps=steps,
        checkpoints=tuple(checkpoints or (steps,)),
        prompts=prompts,
        group=group,
        max_tokens=max_tokens,
        lr=lr,
        clip_norm=1.0,
        staleness=staleness,
        sampler=sampler,
        problems=problems,
        reward_noise=reward_noise,
        precision=start.trunk.precision if isinstance(start, CooldownSpec) else start.precision,
        seed=seed,
        budget_flops=budget_flops,
    )


def samples(
    of: PretrainSpec | CooldownSpec | RLSpec,
    task: str,
    difficulty: int,
    settings: Sequence[str],
    *,
    max_tokens: int,
    step: int | None = None,
    problems: int = 128,
    each: int = 64,
    temperature: float = 1.0,
    verifier: bool = False,
    seed: int = 0,
) -> SamplingSpec:
    """Return samples of a checkpoint, by default the last, on held-out problems, the same for every checkpoint.

    Raises ``InputError`` for more problems than are held out, settings and difficulties that the task does not have, and a
    model that cannot read and write so much.
    """
    one = tasks.find(task)
    for setting in (read(text, one) for text in settings):
        asked = setting.budget if setting.method == "asked" else None
        _fits(spec_model(of), one, difficulty, asked, max_tokens)
        if setting.method == "forced":
            one.given(one.problems(seed, [0], difficulty, "held_out"), difficulty, str(setting.budget))
    _enough(task, seed, problems, difficulty, "held_out")
    return SamplingSpec(
        of=of,
        step=kept_steps(of)[-1] if step is None else step,
        task=task,
        task_version=one.version,
        difficulty=difficulty,
        settings=tuple(settings),
        problems=problems,
        samples=each,
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=1.0,
        verifier=verifier,
        seed=seed,
    )


def _fits(model: ModelSpec, task: tasks.Task, difficulty: int, asked: str | None, max_tokens: int) -> None:
    """Refuse what the model cannot read or write, before anything is run."""
    if model.vocabulary < tasks.VOCABULARY:
        raise InputError(
            f"the model has a vocabulary of {model.vocabulary} tokens, and tasks are written in {tasks.VOCABULARY}"
        )
    some = task.problems(0, range(PROMPTS), difficulty)
    prompt = int((task.prompts(some, difficulty, asked) != tasks.PAD).sum(axis=1).max())
    if prompt + max_tokens > model.context:
        raise InputError(
            f"prompts of task {task.name} at difficulty {difficulty} take {prompt} tokens, completions up to {max_tokens}, "
            f"and the model's context is {model.context}; give fewer tokens, or train a longer context"
        )


@lru_cache(maxsize=256)
def _enough(task: str, seed: int, problems: int, difficulty: int, split: Split) -> None:
    """Refuse more problems than a split has, before anything is run."""
    tasks.find(task).distinct(seed, problems, difficulty, split)
