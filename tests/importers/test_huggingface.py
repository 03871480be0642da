"""Folders that Hugging Face's Trainer wrote for a tiny model."""

import json
import shutil
from pathlib import Path

import pytest

SCRIPT = """
import torch
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments
config = LlamaConfig(
    vocab_size=32, hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
    num_key_value_heads=2, max_position_embeddings=16,
)
model = LlamaForCausalLM(config)
rows = [{"input_ids": torch.arange(8) + i, "labels": torch.arange(8) + i} for i in range(8)]
arguments = TrainingArguments(
    "out", max_steps=8, per_device_train_batch_size=2, logging_steps=2, eval_strategy="steps", eval_steps=4,
    save_steps=4, report_to=[], use_cpu=True, include_num_input_tokens_seen=True, disable_tqdm=True,
)
trainer = Trainer(model, arguments, train_dataset=rows, eval_dataset=rows[:2])
trainer.train()
trainer.save_state()
open("params", "w").write(str(sum(p.numel() for p in model.parameters())))
"""


@pytest.fixture(scope="module")
def out(written) -> Path:
    return written(SCRIPT, "transformers", "torch", "accelerate") / "out"


def test_the_log_is_joined_by_step(out: Path, bring) -> None:
    found = bring("huggingface", out)
    raw = json.loads((out / "trainer_state.json").read_text())["log_history"]
    assert found.read == found.kept == len(raw)
    assert found.runs["run_id"].tolist() == ["out"]
    history = found.history.set_index("step")
    assert history.index.tolist() == [2, 4, 6, 8]
    for entry in raw[:-1]:
        for name, value in entry.items():
            assert name == "step" or history.loc[entry["step"], name] == value
    assert history["eval_loss"].notna().tolist() == [False, True, False, True]
    assert any("state at step 8 is read, 2 earlier ones not" in note for note in found.notes)


def test_size_and_settings_come_from_files_that_hold_only_data(out: Path, bring) -> None:
    run = bring("huggingface", out).runs.iloc[0]
    assert run["params"] == int((out.parent / "params").read_text())
    assert run["config/hidden_size"] == 8
    assert run["state/max_steps"] == 8
    assert run["end/train_loss"] > 0
    assert run["summary/num_input_tokens_seen"] == 128


def test_a_pickle_is_never_opened(out: Path, bring, tmp_path: Path) -> None:
    shutil.copytree(out / "checkpoint-4", tmp_path / "checkpoint-4")
    for path in tmp_path.rglob("*.bin"):
        path.write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    (tmp_path / "checkpoint-4" / "model.safetensors").write_text(
        "version https://git-lfs.github.com/spec/v1\n"
    )
    found = bring("huggingface", tmp_path / "checkpoint-4" / "trainer_state.json")
    assert found.history["step"].tolist() == [2, 4]
    assert "params" not in found.runs.columns
    assert any("no readable header: params are not known" in note for note in found.notes)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "no readable trainer state"),
        ("[]", "has no log_history"),
        ('{"log_history": {}}', "has no log_history"),
        ('{"log_history": []}', "nothing to import"),
        ('{"log_history": [1, {"epoch": 1}]}', "it is no JSON object"),
        ('{"log_history": [{"loss": 1}], "global_step": "x"}', "no readable trainer state"),
        ("[" * 100_000, "no readable trainer state"),
        ("\xff", "trainer state"),
    ],
)
def test_damaged_states_are_refused_in_one_line(bring, refused, tmp_path, content: str, says: str) -> None:
    (tmp_path / "trainer_state.json").write_text(content, encoding="latin-1")
    assert says in refused(lambda: bring("huggingface", tmp_path))
