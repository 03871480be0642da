"""What an evaluation finds, against the definition in numpy on the held-out text itself."""

import json
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from scaling.corpora import Files, SantaFe
from scaling.corpora.text import ReadyText
from scaling.errors import InputError
from scaling.inference.heldout import evaluate, evaluated_windows


class Bigram:
    """A model that reads the logits of the next byte off a table, by the byte before it."""

    device = torch.device("cpu")

    def __init__(self, text: bytes) -> None:
        codes = np.frombuffer(text, dtype=np.uint8)
        self.table = np.full((256, 256), 0.1)
        np.add.at(self.table, (codes[:-1], codes[1:]), 1)
        self.table /= self.table.sum(1, keepdims=True)

    def __call__(self, input_ids: torch.Tensor, use_cache: bool) -> SimpleNamespace:
        return SimpleNamespace(logits=torch.from_numpy(np.log(self.table))[input_ids])


@pytest.fixture
def corpus(tmp_path: Path) -> ReadyText:
    """Return lines of numbers, 200 documents of them."""
    numbers = np.random.default_rng(0)
    texts = [" ".join(map(str, numbers.integers(0, 999, 40))) for _ in range(200)]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in texts))
    return Files(str(tmp_path / "a.jsonl")).prepare(tmp_path / "cache")


def test_loss_accuracy_and_errors_are_those_of_the_held_out_windows(corpus: ReadyText) -> None:
    model = Bigram(corpus.train.tobytes())
    found = evaluate(model, corpus, 24)
    windows = corpus.heldout(corpus.heldout_windows(24), 24)
    assert all(window.astype(np.uint8).tobytes() in corpus.held.tobytes() for window in windows)
    nll = np.array([[-np.log(model.table[a, b]) for a, b in pairwise(w)] for w in windows])
    hit = np.array([[model.table[a].argmax() == b for a, b in pairwise(w)] for w in windows])
    root = np.sqrt(len(windows))
    assert found.loss_nats == pytest.approx(nll.mean(), rel=1e-6)
    assert found.loss_se == pytest.approx(nll.mean(1).std(ddof=1) / root, rel=1e-6)
    assert found.accuracy == pytest.approx(hit.mean(), rel=1e-12)
    assert found.accuracy_se == pytest.approx(hit.mean(1).std(ddof=1) / root, rel=1e-9)
    assert found.predictions == nll.size
    assert 0.1 < found.accuracy < 0.5


def test_all_windows_are_read_where_they_are_few_and_a_fixed_number_where_they_are_not(
    corpus: ReadyText,
) -> None:
    assert evaluated_windows(corpus, 24) == corpus.heldout_windows(24)
    assert evaluated_windows(corpus, len(corpus.held) // 3 - 1) == 2
    assert evaluated_windows(SantaFe().prepare(), 128) == 1024


@pytest.mark.parametrize(("windows", "share"), [(0, 1), (1, 2)])
def test_a_held_out_side_that_gives_no_standard_error_is_refused(
    corpus: ReadyText, windows: int, share: int
) -> None:
    context = len(corpus.held) // share
    with pytest.raises(
        InputError, match=f"holds out {windows} windows of {context} tokens, .* 2 or more; give"
    ):
        evaluate(Bigram(b"ab"), corpus, context)
