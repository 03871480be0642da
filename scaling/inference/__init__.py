"""Evaluating checkpoints (needs the ``train`` extra)."""
