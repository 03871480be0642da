"""Every public set of runs for which a law is customarily fitted, through one table.

The catalogue says how each is fitted. Sets about reinforcement learning, inference or games (rl_qwen, o1_budgets,
s1_points, monkeys_gsm8k, cobbe_gsm8k, leela_zero_elo, boardlaw) answer other questions and have no law there; they
are left to other studies. A set that cannot be had is listed with the reason, and the rest is fitted.
"""

from itertools import combinations

import numpy as np

from scaling import diagnostics, fitting
from scaling.catalogue import read, reading
from scaling.catalogue.fits import Table, tables
from scaling.catalogue.places import MIRROR
from scaling.errors import FitError, InputError
from scaling.records.tables import Records
from scaling.sections import public
from scaling.sections.public import Refit, Sets
from scaling.study import Preset, Study

ALIKE = (0.02, 0.02, 0.005)
"""Differences of log N, log D and log loss within which two rows are one run, read off twice."""


def fits(records: Records, draws: int = 1000) -> dict[str, object]:
    """Return every customary fit, and which sets could not be had or share rows."""
    found: dict[str, Refit] = {}
    missing: dict[str, str] = {}
    for entry in read().values():
        try:
            had = list(tables(entry))
        except InputError as error:
            missing[entry.name] = str(error).split("; set ")[0]
            continue
        for table in had:
            try:
                found[table.name] = refit(table, draws)
            except FitError as error:
                missing[table.name] = f"no fit: {error}"
    if not found:
        raise InputError(
            f"none of {len(missing)} public sets could be had, the first because {next(iter(missing.values()))}; "
            f"go where the network is, or set {MIRROR} to a folder that has their files"
        )
    return {"sets": Sets(missing, shared(list(found.values())))} | found


def refit(table: Table, draws: int) -> Refit:
    """Return the customary fit of a table with the predictions it is asked for."""
    fit = table.fit(bootstrap=draws)
    laws = [table.entry.law, *(["p_norm"] if table.entry.law == "chinchilla" else [])]
    rollout, why = None, ""
    try:
        rollout = diagnostics.rollout(
            table.frame,
            laws,
            [fit.objective.loss],
            cluster=table.entry.cluster,
            residual=fit.objective.residual,
            fix=table.entry.fix,
        )
    except (FitError, InputError) as error:
        why = str(error)
    return Refit(
        table.name,
        fit,
        table.entry.published or table.entry.expected,
        rollout,
        why,
        held(table, fit),
        diagnostics.lack_of_fit(fit),
    )


def held(table: Table, fit: fitting.Fit) -> tuple[int, float] | None:
    """Return how many rows the fit is customarily asked to predict, and how far it is off."""
    if table.entry.held is None:
        return None
    rows = reading(table.entry, table.entry.held).frame
    predicted = fit.law.predict(**{name: rows[name].to_numpy(float) for name in fit.law.inputs})
    errors = np.log(predicted / rows["loss"].to_numpy(float))
    return len(rows), float(np.sqrt(np.mean(errors**2)))


def shared(found: list[Refit]) -> tuple[tuple[str, str, float], ...]:
    """Return pairs of sets with the share of the smaller one's rows that the other has too."""
    known = {one.name: one.fit.rows for one in found if {"N", "D"} <= set(one.fit.law.inputs)}
    logs = {
        name: np.log(np.column_stack([rows.inputs["N"], rows.inputs["D"], rows.loss]))
        for name, rows in known.items()
    }
    pairs = []
    for one, other in combinations(known, 2):
        fewer, more = sorted((logs[one], logs[other]), key=len)
        alike = (np.abs(fewer[:, None] - more) < ALIKE).all(axis=2).any(axis=1)
        if alike.any() and known[one].sha256 != known[other].sha256:
            pairs.append((one, other, float(alike.mean())))
    return tuple(pairs)


STUDY = Study(
    name="refit_public",
    question="Every public set of runs, fitted the same way: which exponents does each bear out, and how surely?",
    presets=(Preset("cpu", "no training; about a minute, after a fetch of 1.5 MB", None),),
    fits=fits,
    sections=(public.overview,),
)
