"""Every public set of runs for which a law is customarily fitted, through one table.

The catalogue says how each is fitted. Two sets about inference (monkeys_gsm8k, cobbe_gsm8k) have no law there: they say
what samples are worth in training, in two sections of their own. Sets about reinforcement learning, thinking or games
(rl_qwen, o1_budgets, s1_points, leela_zero_elo, boardlaw) answer other questions and are left to other studies. A set that
cannot be had is listed with the reason, and the rest is fitted.
"""

from collections.abc import Container, Iterator
from itertools import combinations, product

import numpy as np

from scaling import diagnostics, fitting
from scaling.catalogue import find, locate, read, reading
from scaling.catalogue.fits import Table, tables
from scaling.catalogue.places import MIRROR
from scaling.errors import FitError, InputError
from scaling.records.reading import load
from scaling.records.tables import Records
from scaling.sections import public, public_coverage, public_doubts, public_methods, public_verifier
from scaling.sections.public import Refit, Sets
from scaling.sections.public_counts import samples
from scaling.sections.public_methods import Methods, Rule, Rules
from scaling.sections.public_verifier import verified
from scaling.study import Preset, Study

ALIKE = (0.02, 0.02, 0.005)
"""Differences of log N, log D and log loss within which two rows are one run, read off twice."""

QUANTITIES = {
    "learning_rate": {
        "a": ("exponent of N in the best learning rate", "lr_coefN"),
        "b": ("exponent of D in the best learning rate", "lr_coefD"),
    },
    "batch_size": {"b": ("exponent of D in the best batch", "bs_coefD")},
}
"""Law and exponent to what it is in words, and its column in step_law_bootstrap."""
RULES = {
    "the best run": None,
    "a paraboloid within 0.5 %": 0.005,
    "a paraboloid within 1 %": 0.01,
    "a paraboloid within 2 %": 0.02,
}
"""Ways to read the best values off a sweep."""

INFERENCE = {"monkeys_gsm8k": samples, "cobbe_gsm8k": verified}
"""Sets without a law to what is made of their rows."""


def fits(records: Records, draws: int = 1000, names: Container[str] | None = None) -> dict[str, object]:
    """Return every customary fit, or those of some names, and which sets could not be had or share rows."""
    found: dict[str, Refit] = {}
    missing: dict[str, str] = {}
    compared: list[Methods] = []
    for entry in read().values():
        try:
            had = [table for table in tables(entry) if names is None or table.name in names]
        except InputError as error:
            missing[entry.name] = str(error).split("; set ")[0]
            continue
        for table in had:
            try:
                found[table.name] = refit(table, draws)
                if "budget" in table.frame:
                    compared.append(methods(table, found[table.name].fit, draws))
            except FitError as error:
                missing[table.name] = f"no fit: {error}"
    inference = dict(samples_worth(draws, names, missing))
    if not found and not inference:
        raise InputError(
            f"none of {len(missing)} public sets could be had, the first because {next(iter(missing.values()))}; "
            f"go where the network is, or set {MIRROR} to a folder that has their files"
        )
    swept = Rules(tuple(rules(found, draws)), authors(missing))
    return {
        "sets": Sets(missing, shared(list(found.values()))),
        **found,
        **{f"methods of {one.name}": one for one in compared},
        "rules": swept,
        **inference,
    }


def samples_worth(
    draws: int, names: Container[str] | None, missing: dict[str, str]
) -> Iterator[tuple[str, object]]:
    """Yield what the sets about inference say of samples against training; one that cannot be had is noted."""
    for name, made in INFERENCE.items():
        if names is not None and name not in names:
            continue
        try:
            entry = find(name)
            rows = load(locate(entry)[0])
        except InputError as error:
            missing[name] = str(error).split("; set ")[0]
            continue
        yield name, made(name, rows, draws, entry.files[0].sha256)


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
        None if table.entry.cluster else diagnostics.lack_of_fit(fit),  # checkpoints are no replicates
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


def methods(table: Table, law: fitting.Fit, draws: int) -> Methods:
    """Return the isoFLOP fit of the rows of a law's fit, and that of the law's own losses there."""
    imitation = table.frame.assign(loss=law.law.predict(N=table.frame["N"], D=table.frame["D"]))
    return Methods(
        table.name,
        fitting.fit_isoflop(table.frame, bootstrap=draws, excluded=table.excluded),
        law,
        fitting.fit_isoflop(imitation, bootstrap=2).derived["N_exponent"].value,
    )


def rules(fitted: Container[str], draws: int) -> Iterator[Rule]:
    """Yield the exponents of the best learning rate and batch size by each way to read them off the sweeps."""
    for entry in read().values():
        if not entry.tuned or entry.name not in fitted:
            continue
        frame = reading(entry).frame
        for (rule, within), law in product(RULES.items(), (entry, *entry.also)):
            optima = fitting.sweep_optima(frame, entry.tuned, within=within)
            fit = fitting.fit(law.law, optima.frame, loss=law.loss, bootstrap=draws)
            out = tuple(f"{sweep}, {why}" for sweep, why in optima.excluded)
            for name, (quantity, _) in QUANTITIES[law.law].items():
                found = fit.parameters[name]
                yield Rule(entry.name, quantity, rule, len(optima.frame), out, found, law.published.get(name))


def authors(missing: dict[str, str]) -> dict[str, fitting.Estimate]:
    """Return mean and central 95 % of the authors' own fits; none where these could not be had."""
    try:
        (path,) = locate(find("step_law_bootstrap"))
    except InputError as error:
        missing["step_law_bootstrap"] = str(error).split("; set ")[0]
        return {}
    drawn = load(path)
    found = {}
    for quantity, column in (one for names in QUANTITIES.values() for one in names.values()):
        low, high = drawn[column].quantile([0.025, 0.975])
        found[quantity] = fitting.Estimate(float(drawn[column].mean()), float(low), float(high))
    return found


STUDY = Study(
    name="refit_public",
    question="Every public set of runs through one table: which exponents does each bear out, and how surely?",
    presets=(Preset("cpu", "no training; about a minute, after a fetch of 2 MB", None),),
    fits=fits,
    sections=(
        public.overview,
        public_doubts.identified,
        public_doubts.beyond,
        public_methods.isoflops,
        public_methods.hyperparameters,
        public_coverage.coverage,
        public_verifier.verifier,
    ),
)
