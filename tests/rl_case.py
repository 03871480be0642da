"""A small model that solves words of 2 letters now and then, and RL from it, for runs of seconds."""

from pathlib import Path

from scaling import tasks
from scaling.records import recipe, rl_recipe
from scaling.records.cost import spec_model
from scaling.records.spec import RLSpec, spec_id
from scaling.records.store import Store
from scaling.records.tables import Records
from scaling.training import rl_run
from scaling.training.model import build
from scaling.training.pretrain import run as pretrain
from scaling.training.rl import RLModule, RLStep

WIDTH, STEPS = 16, 6


def start_of(folder: Path) -> tuple[Store, RLSpec]:
    """Return a store with a finished start, and an RL spec from it: words of 2 letters, which it solves now and then."""
    store = Store(folder / "store").open()
    model = recipe.llama(WIDTH, tasks.VOCABULARY, 48)
    data = rl_recipe.traces("s5", [1, 2], ["1", "direct"])
    (start,) = recipe.whole_runs(model, data, [300 * 480], batch_tokens=480, seed=0)
    assert pretrain(start, store)
    spec = rl_recipe.learning(
        start, "s5", [1, 2], STEPS, max_tokens=24, seed=0, checkpoints=(2, 4, STEPS), prompts=6, group=8
    )
    return store, spec


def copied(started: tuple[Store, RLSpec], tmp_path: Path) -> Store:
    """Return a store of its own with the start in it."""
    store = Store(tmp_path / "store").open()
    start = spec_id(started[1].start)
    store.folder(start).symlink_to(started[0].folder(start))
    return store


def rows_of(spec: RLSpec, store: Store) -> Records:
    rl_run.run(spec, store)
    return store.rows(spec_id(spec))


def module_of(
    started: tuple[Store, RLSpec], spec: RLSpec, attention: str = "sdpa"
) -> tuple[RLModule, list[RLStep]]:
    """Return a module with the start's weights outside a trainer."""
    told: list[RLStep] = []
    model = build(spec_model(spec), 0, attention)  # type: ignore[arg-type]
    model.load_state_dict(rl_run.load_weights(started[0], spec.start, spec.start.steps).state_dict())
    module = RLModule(spec, model, spec_model(spec), told.append)
    return module, told
