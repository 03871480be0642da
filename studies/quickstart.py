"""A small real grid end to end: train, fit the law of loss in size and data, and say what it cannot tell."""

from scaling import corpora, fitting
from scaling.records import recipe
from scaling.records.frame import annealed, frame
from scaling.records.spec import CorpusData, Spec
from scaling.records.tables import Records
from scaling.sections import extrapolation, law, ledger, surface, trained
from scaling.study import Preset, Study

WIDTHS = {16: 2, 24: 2, 40: 1, 64: 1}
"""Widths and how many trunks each: two where they are cheap, which tells how much seeds matter."""
TOKENS = (300_000, 600_000, 1_200_000, 2_400_000)
"""Durations of every size, by cooldown branches; the shortest has 293 steps."""


def grid(widths: dict[int, int], tokens: tuple[int, ...]) -> list[Spec]:
    """Return one tree a width and seed on this machine's Python files."""
    ready = corpora.load("python")
    data = CorpusData(ready.name, ready.sha256)
    specs: list[Spec] = []
    for width, seeds in widths.items():
        for seed in range(seeds):
            model = recipe.llama(width, ready.vocabulary, context=128)
            specs += recipe.tree(model, data, tokens, batch_tokens=1024, seed=seed)
    return specs


def fits(records: Records) -> dict[str, object]:
    """Return both joint forms of the annealed runs, and each held out from the largest quarter by compute."""
    rows, excluded = annealed(frame(records))
    convention = {"params": "matmul", "flops": "6nd"}
    cut = float(rows["C"].quantile(0.75))
    return {
        "law": fitting.fit("chinchilla", rows, excluded=excluded, convention=convention),
        "p_norm": fitting.fit("p_norm", rows, bootstrap=400, excluded=excluded, convention=convention),
        "holdout": fitting.holdout("chinchilla", rows, cut),
        "holdout: p_norm": fitting.holdout("p_norm", rows, cut, bootstrap=400),
    }


EXPORT = (
    "fit examples/tracker_export.csv --law chinchilla --map N=config/model/matmul_params "
    "--map 'D=`summary/train/tokens (M)` * 1e6' --map loss=summary/eval/python-heldout/loss "
    '--where \'Tags == "cpu" and State == "finished" and `summary/lr` < 0.2 * `config/optim/lr`\''
)
"""A fit of a messy export, ready to be typed."""


STUDY = Study(
    name="quickstart",
    question="How does loss fall with model size and data on this machine's own Python files?",
    presets=(
        Preset("cpu", "4 sizes x 4 durations, under 3 minutes on 2 cores", lambda: grid(WIDTHS, TOKENS)),
        Preset(
            "smoke",
            "3 sizes x 3 durations, under a minute; far too short for a law",
            lambda: grid({16: 2, 24: 1, 32: 1}, (40_000, 80_000, 160_000)),
        ),
    ),
    fits=fits,
    sections=(law.law, surface.surface, extrapolation.extrapolation, trained.trained, ledger.ledger),
    next_commands={
        "run isoflop": "20 to 25 minutes on 2 cores: which size is best for a budget?",
        EXPORT: "the same fit on an export of your own runs",
        "report isoflop": "rebuild the published report from its records, no training",
    },
)
