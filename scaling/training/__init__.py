"""The training core: one spec in, one finished run folder out (needs the ``train`` extra)."""
