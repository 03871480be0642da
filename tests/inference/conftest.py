"""A small model with weights that say something, and prompts of several lengths."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from scaling.inference.weights import Weights
from scaling.records import recipe
from scaling.tasks import PAD, find
from scaling.training.model import build

SHAPE = recipe.llama(32, 53, 96)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums in one order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    """Return a model whose predictions are far from even, gains included."""
    found = build(SHAPE, 0).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return found


@pytest.fixture
def weights(model: LlamaForCausalLM) -> Weights:
    """Return its weights for sampling."""
    return Weights(model, SHAPE)


@pytest.fixture(scope="module")
def prompts() -> np.ndarray:
    """Return seven prompts of 2 to 21 tokens, padded on the right."""
    task, rows = find("s5"), np.full((7, 21), PAD, dtype=np.int64)
    for row, difficulty in enumerate((3, 20, 1, 7, 7, 12, 5)):
        asked = task.prompts(task.problems(0, [row], difficulty), difficulty)[0]
        rows[row, : len(asked)] = asked
    return rows
