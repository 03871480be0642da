"""Weights that a finished run left: of its end, or of a step that it kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaling.errors import InputError
from scaling.records.cost import spec_model
from scaling.records.spec import CooldownSpec, PretrainSpec, RLSpec, kept_steps, spec_id
from scaling.records.store import Store, branch_state
from scaling.training import state

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from transformers import LlamaForCausalLM


def _exported(folder: Path) -> dict[str, torch.Tensor]:
    """Return the weights that ``save_pretrained`` wrote."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = folder / "model.safetensors"
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"the weights {path} cannot be read ({error}); delete the folder {folder.parent} and run again to redo the run"
        ) from error


def load_weights(store: Store, run: PretrainSpec | CooldownSpec | RLSpec, step: int) -> LlamaForCausalLM:
    """Return the model that a finished run had after a step; ``InputError`` where its folder lacks it."""
    from scaling.training.model import build

    folder = store.folder(spec_id(run))
    model = build(spec_model(run), 0)
    if step == kept_steps(run)[-1]:
        model.load_state_dict(_exported(folder / "model"))
    else:
        model.load_state_dict(state.load(branch_state(folder, step))["model"])
    return model
