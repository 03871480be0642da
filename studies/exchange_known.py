"""Published charts through one ruler: what is inference worth in training compute, and do the essay's 20x and 7x hold?

No training. The numbers lie in data/external; rates from counts and single answers of others (Pythia, Cobbe) are in the
study refit_public.
"""

import pandas as pd

from scaling.exchange import Paired, Slices, change_point, exchange_paired, exchange_slices
from scaling.records.reading import read_table
from scaling.records.tables import Records
from scaling.sections import exchange_known, known_explorer, known_games, known_why
from scaling.sections.known_claims import Published, Rows
from scaling.study import Preset, Study, bundled

EXTERNAL = bundled("data") / "external"
O1 = EXTERNAL / "openai_o1_charts" / "o1_digitised.csv"
R1_ZERO = EXTERNAL / "deepseek_r1_zero" / "r1zero_digitised.csv"
HEX = EXTERNAL / "andyljones_boardlaw" / "boardlaw_flops_curves_frontier.csv"

WITHIN = (0.33, 0.69)
"""Scores that both panels of o1 reach, in whole points; the lowest point of the training panel, 32.98 %, is out."""
SCORES = (0.3, 0.5, 0.75, 0.87)
VOTES = 16
BUDGETS = {1: "pass_at_1", VOTES: "cons_at_16"}
"""Samples a problem, and the column that scores them."""


def fits(records: Records) -> dict[str, object]:
    """Return the rates of both charts and the frontier of the games, with what was published."""
    return {
        "o1": panels("linear"),
        "o1, logit": panels("logit"),
        "o1, common scores": panels("linear", WITHIN),
        "R1-Zero": votes("mean_response_tokens"),
        "R1-Zero, a sample as one price": votes("1"),
        "Hex": change_point(read_table(HEX).frame),
        "Hex frontier": Rows(read_table(HEX).frame),
        "published": Published(),
    }


def panels(link: str, within: tuple[float, float] | None = None) -> Slices:
    """Return the rate of the two panels of o1."""
    names = {"score": "pass_at_1_pct / 100"}
    train = read_table(O1, names | {"train_flops": "rel_compute"}, "panel == 'train'")
    infer = read_table(O1, names | {"infer_flops_per_problem": "rel_compute"}, "panel == 'test'")
    used = {*train.frame.index, *infer.frame.index}
    left = tuple((row, "another picture of the same panel") for row, _ in train.excluded if row not in used)
    return exchange_slices(
        train.frame,
        infer.frame,
        link=link,
        within=within,
        read=train.read,
        excluded=left,
        sha256=train.sha256,
    )


def votes(price: str) -> Paired:
    """Return the rates between 1 and 16 samples, each at a price: its tokens, or 1."""
    readings = {
        k: read_table(
            R1_ZERO,
            {
                "train_flops": "cumulative_tokens_rel",
                "infer_flops_per_problem": f"{price} * {k}",
                "score": score,
            },
        )
        for k, score in BUDGETS.items()
    }
    frame = pd.concat(
        [reading.frame.assign(budget=k, run=0) for k, reading in readings.items()], ignore_index=True
    )
    return exchange_paired(frame, at=SCORES, bootstrap=4000, sha256=readings[1].sha256)


STUDY = Study(
    name="exchange_known",
    question="What is inference worth in training compute on published charts, and do the essay's 20x and 7x hold?",
    presets=(Preset("cpu", "no training; seconds, from numbers that the project carries", None),),
    fits=fits,
    sections=(
        exchange_known.overview,
        exchange_known.o1,
        exchange_known.r1_zero,
        known_games.games,
        known_explorer.explore,
        known_why.differences,
    ),
)
