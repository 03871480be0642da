"""Folders that Lightning's CSVLogger wrote."""

import sys
from pathlib import Path

import pandas as pd
import pytest

SCRIPT = """
import warnings
from pathlib import Path
warnings.simplefilter("ignore")
import lightning as L
import torch
from lightning.pytorch.loggers import CSVLogger

class Model(L.LightningModule):
    def __init__(self, width, optim, folder):
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(2, 1)

    def training_step(self, batch, index):
        loss = self.layer(batch[0]).pow(2).mean()
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch, index):
        self.log("val_loss", self.layer(batch[0]).pow(2).mean())
        self.log("tokens", float(1000 * (1 + self.global_step)))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

data = torch.utils.data.TensorDataset(torch.randn(12, 2))
loader = torch.utils.data.DataLoader(data, batch_size=2)
for width in (4, 8):
    trainer = L.Trainer(
        max_epochs=2, logger=CSVLogger("logs", "exp"), log_every_n_steps=2, accelerator="cpu",
        enable_progress_bar=False, enable_model_summary=False, enable_checkpointing=False, val_check_interval=3,
    )
    trainer.fit(Model(width, {"lr": 0.1, "kind": "sgd"}, Path("x")), loader, loader)
"""


@pytest.fixture(scope="module")
def logs(written) -> Path:
    return written(SCRIPT, "lightning", "torch")


def test_rows_of_one_step_are_joined(logs: Path, bring) -> None:
    found = bring("lightning", logs / "logs")
    assert found.runs["run_id"].tolist() == ["version_0", "version_1"]
    raw = pd.read_csv(logs / "logs" / "exp" / "version_0" / "metrics.csv")
    ours = found.history[found.history["run_id"] == "version_0"]
    assert len(ours) == raw["step"].nunique() < len(raw)
    for metric in raw.columns.drop(["step", "epoch"]):
        expected = raw.dropna(subset=[metric]).set_index("step")[metric]
        logged = ours.dropna(subset=[metric]).set_index("step")[metric]
        assert logged.to_dict() == expected.to_dict()
    assert found.read == found.kept == 2 * len(raw)


def test_hyperparameters_are_read_and_no_object_is_built(logs: Path, bring) -> None:
    assert "!!python" in (logs / "logs" / "exp" / "version_0" / "hparams.yaml").read_text()
    runs = bring("lightning", logs, from_name="exp/version_(?P<version>[0-9]+)").runs
    assert runs["config/width"].tolist() == [4, 8]
    assert runs["config/optim.lr"].tolist() == [0.1, 0.1]
    assert runs["config/optim.kind"].tolist() == ["sgd", "sgd"]
    assert runs["version"].tolist() == [0, 1]


def test_a_tag_that_would_run_something_is_data(bring, tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("step,loss\n1,2\n")
    (tmp_path / "hparams.yaml").write_text(
        f"a: !!python/object/apply:os.mkdir [{tmp_path}/owned]\nb: !odd 3\n"
    )
    runs = bring("lightning", tmp_path).runs
    assert not (tmp_path / "owned").exists()
    assert runs["config/b"].tolist() == [3]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("hparams.yaml", "a: [1", "no readable YAML"),
        ("hparams.yaml", "- 1\n", "holds a list, expected names with values"),
        ("hparams.yaml", "a: &x {b: *x}\n", "nested more than 40 levels deep"),
        ("metrics.csv", "epoch,loss\n1,2\n", "has no column step"),
        ("metrics.csv", "step,loss\nx,2\n", "column 'step', row 0: 'x' is no number"),
        ("metrics.csv", "step,loss\n1,2,3\n", "not a readable csv"),
        ("metrics.csv", "step,loss\n", "it has no rows"),
        ("metrics.csv", "", "it has no rows"),
    ],
)
def test_damaged_folders_are_refused_in_one_line(
    bring, refused, tmp_path: Path, name: str, content: str, says: str
) -> None:
    (tmp_path / "metrics.csv").write_text("step,loss\n1,2\n")
    (tmp_path / name).write_text(content)
    assert says in refused(lambda: bring("lightning", tmp_path))


def test_without_pyyaml_one_line_says_what_to_install(bring, refused, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "metrics.csv").write_text("step,loss\n1,2\n")
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert bring("lightning", tmp_path).kept == 1
    (tmp_path / "hparams.yaml").write_text("a: 1\n")
    assert "needs PyYAML: pip install 'scaling-suite[importers]'" in refused(
        lambda: bring("lightning", tmp_path)
    )


def test_yaml_that_unfolds_without_end_is_refused(bring, refused, tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("step,loss\n1,2\n")
    maps = "\n".join(f"a{i}: &a{i} {{x: *a{i - 1}, y: *a{i - 1}, z: *a{i - 1}}}" for i in range(1, 30))
    (tmp_path / "hparams.yaml").write_text(f"a0: &a0 1\n{maps}\n")
    assert "unfolds to more than" in refused(lambda: bring("lightning", tmp_path))
    lists = "\n".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]" for i in range(1, 30))
    (tmp_path / "hparams.yaml").write_text(f"a0: &a0 1\n{lists}\n")
    assert len(bring("lightning", tmp_path).runs["config/a29"][0]) < 3000
