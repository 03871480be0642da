"""Records of runs whose losses follow a known law, with the noise of seeds; an explorer's page in a browser."""

import os
import shutil
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest
from browser import Browser
from explorer_case import make_data

from scaling.laws import Chinchilla
from scaling.records import recipe
from scaling.records.columns import EVALS, STEPS
from scaling.records.flops import matmul_params, params_by_group, train_flops
from scaling.records.spec import CooldownSpec, CorpusData, spec_id, to_json
from scaling.records.tables import Records, check, empty
from scaling.reporting.document import Report, Section, write
from scaling.sections.explorer import explorer

LAW = Chinchilla(E=1.0, A=40.0, B=300.0, alpha=0.4, beta=0.35)
"""What the runs obey; N of matrix products."""
SEED_SPREAD = 0.002
"""Standard deviation of log loss between trunks."""
BUDGETS = (1e12, 3.2e12, 1e13)


@pytest.fixture(scope="session")
def truth() -> Chinchilla:
    """Return the law that the runs obey."""
    return LAW


@pytest.fixture(scope="session")
def records() -> Records:
    """Return a grid of isoFLOP runs: six widths, two trunks each, one branch a budget."""
    noise = np.random.default_rng(0)
    data = CorpusData("python", "ab" * 32)
    runs, points = [], []
    for width in (16, 24, 32, 48, 64, 96):
        model = recipe.llama(width, 256, 128)
        ends = [recipe.tokens_for(model, C) for C in BUDGETS]
        for seed in (0, 1):
            luck = SEED_SPREAD * noise.standard_normal()
            path, *branches = recipe.tree(model, data, ends, batch_tokens=1024, seed=seed)
            for branch in branches:
                assert isinstance(branch, CooldownSpec)
                runs.append(run_row(branch, path))
                tokens = branch.whole.tokens
                loss = float(LAW.predict(N=matmul_params(model), D=tokens))
                points.append(
                    point_row(branch, tokens, loss * np.exp(luck + SEED_SPREAD / 2 * noise.standard_normal()))
                )
    return Records(pd.DataFrame(runs), pd.DataFrame(points), empty(STEPS), empty(EVALS)).map(check)


@pytest.fixture(scope="session")
def rows_of() -> Callable[[CooldownSpec, float], tuple[dict[str, object], dict[str, object]]]:
    """Return the maker of a branch's rows of RUNS and CHECKPOINTS from its loss."""
    return lambda branch, loss: (run_row(branch, branch.trunk), point_row(branch, branch.whole.tokens, loss))


def run_row(branch: CooldownSpec, path) -> dict[str, object]:
    groups = params_by_group(path.model)
    return {
        "run_id": spec_id(branch),
        "kind": "cooldown",
        "status": "done",
        "parent_run_id": spec_id(path),
        "parent_step": branch.step,
        "trunk_id": spec_id(path),
        "params_total": sum(groups.values()),
        **{f"params_{group}": count for group, count in groups.items()},
        "width": path.model.width,
        "data": "python",
        "data_sha256": "ab" * 32,
        "tokens_planned": branch.whole.tokens,
        "batch_tokens": 1024,
        "lr": path.optim.lr,
        "lr_over_recipe": 1.0,
        "seed_data": path.seed,
        "hardware": "x",
        "device_seconds": 1.0,
        "version": "1",
        "spec": to_json(branch),
    }


def point_row(branch: CooldownSpec, tokens: int, loss: float) -> dict[str, object]:
    return {
        "run_id": spec_id(branch),
        "step": branch.whole.steps,
        "tokens_seen": tokens,
        "annealed": True,
        "train_flops_forward_backward": train_flops(branch.trunk.model, tokens),
        "loss_nats": loss,
        "loss_se": 0.01,
    }


@pytest.fixture(scope="session")
def chromium(tmp_path_factory) -> Iterator[Browser]:
    """Return a browser; skips where there is none, and fails instead where SCALING_TOOLS says that there is."""
    if not shutil.which("chromium"):
        words = "chromium is not on the PATH: apt-get install chromium"
        if os.environ.get("SCALING_TOOLS"):
            pytest.fail(words)
        pytest.skip(words)
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def url(tmp_path_factory) -> str:
    """Return the address of a report with an explorer."""
    section = Section("Explore", interactives=(explorer(make_data()),))
    report = Report("Page", "Which?", (section,), {"a": "b"}, {})
    return write(report, tmp_path_factory.mktemp("page") / "out").as_uri()


@pytest.fixture
def page(chromium, url) -> Browser:
    """Return the browser with that page newly opened, wide and light."""
    chromium.send("Emulation.clearDeviceMetricsOverride")
    chromium.send("Emulation.setEmulatedMedia", media="", features=[])
    chromium.open(url)
    return chromium
