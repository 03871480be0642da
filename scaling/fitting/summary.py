"""A fit as text for a terminal and as JSON for programs."""

import math
from typing import TYPE_CHECKING, Any

from scaling.reporting.numbers import estimate, plain

if TYPE_CHECKING:
    from scaling.fitting.counts import CountsFit
    from scaling.fitting.isoflop_result import IsoflopFit
    from scaling.fitting.parts import Estimate, Interval
    from scaling.fitting.result import Fit

WORDS = {
    "N_exponent": "N_opt ~ C^",
    "D_exponent": "D_opt ~ C^",
    "N_optimal": "N_opt",
    "D_optimal": "D_opt",
    "tokens_per_param": "tokens per parameter",
    "loss_optimal": "loss at the optimum",
    "N_served": "N to train and serve",
    "D_served": "D to train and serve",
    "tokens_per_param_served": "D / N to train and serve",
    "serving_saving": "share of FLOPs saved",
}
"""How derived numbers are called on a terminal."""


def summary(fit: "Fit") -> str:
    """The fit on about twenty lines: law, rows, objective, parameters, what follows, what to doubt."""
    law, rows, interval = fit.law, fit.rows, fit.intervals
    lines = [
        f"{law.name}: {law.formula}",
        f"rows: {len(rows.loss)} used of {rows.read} read" + _excluded(fit),
        f"inputs: {_inputs(fit)}",
        f"objective: {_objective(fit)} = {fit.value:.9g}",
        "interval: " + (_interval(fit) if interval.method else "none (no bootstrap)"),
        "",
    ]
    width = max(len(word) for word in [*fit.parameters, *(WORDS[name] for name in fit.derived)])
    for name, found in fit.parameters.items():
        lines.append(f"  {name:<{width}}  {_shown(found)}{known_words(fit, name)}")
    lines += _sensitivity(fit)
    if fit.derived:
        lines += ["", "compute-optimal, C = 6 N D" + _at(fit)]
        lines += [f"  {WORDS[name]:<{width}}  {_shown(found)}" for name, found in fit.derived.items()]
    lines += ["", f"status: {fit.status}"]
    lines += [f"  {warned.code}: {warned.message}" for warned in fit.warnings]
    return "\n".join(lines)


def as_json(fit: "Fit", command: str | None) -> dict[str, Any]:
    """The keys of schema scaling.fit/1; numbers that are not finite become null."""
    from importlib.metadata import version

    objective, interval, rows = fit.objective, fit.intervals, fit.rows
    return {
        "schema": "scaling.fit/1",
        "law": fit.law.name,
        "rows": {
            "read": rows.read,
            "used": len(rows.loss),
            "excluded": [{"row": row, "reason": reason} for row, reason in rows.excluded],
        },
        "objective": {
            "loss": objective.loss,
            "residual": objective.residual,
            "delta": objective.delta if objective.loss == "huber" else None,
            "reduction": "sum",
            "value": fit.value,
            "gradient_norm": fit.gradient_norm,
        }
        | ({"tau": objective.tau} if objective.loss == "quantile" else {}),
        "parameters": {
            name: _json(found, "value", "low", "high", "se") for name, found in fit.parameters.items()
        },
        "derived": {name: _json(found, "value", "low", "high") for name, found in fit.derived.items()},
        "status": fit.status,
        "warnings": [{"code": warned.code, "message": warned.message} for warned in fit.warnings],
        "minima": [
            {
                "value": minimum.value,
                "parameters": dict(
                    zip(minimum.law.parameter_names(), map(float, minimum.law.values()), strict=True)
                ),
            }
            for minimum in fit.minima
        ],
        "convention": dict(fit.convention),
        "interval": _interval_json(interval),
        "provenance": {
            "sha256": rows.sha256,
            "version": version("scaling-suite"),
            "command": command,
            "seed": fit.options.seed,
        },
    } | _known_json(fit)


def isoflop_summary(fit: "IsoflopFit") -> str:
    """A line for each budget, the power laws through the optima, and what to doubt."""
    how = f"{100 * fit.intervals.level:g} % {fit.intervals.method}, {fit.intervals.draws} draws"
    lines = [f"isoFLOP: {len(fit.frame)} rows used of {fit.read} read", f"interval: {how}", ""]
    for budget in fit.budgets:
        best = "" if budget.N_optimal is None else f"  N_opt {_shown(budget.N_optimal)}"
        lines.append(f"  C = {plain(budget.C, 3)}: {budget.rows} rows, {budget.status}{best}")
    lines += ["", *(f"  {WORDS[name]:<12}  {_shown(found)}" for name, found in fit.derived.items())]
    lines += ["", f"status: {fit.status}", *(f"  {warned.code}: {warned.message}" for warned in fit.warnings)]
    return "\n".join(lines)


def counts_summary(fit: "CountsFit") -> str:
    """Parameters with intervals, pass@1, and what to doubt."""
    how = "none (no bootstrap)"
    if fit.intervals.method:
        how = f"{100 * fit.intervals.level:g} % {fit.intervals.method}, {fit.intervals.draws} draws"
    lines = [
        f"beta_binomial: {fit.law.formula}",
        f"problems: {len(fit.n)}, {fit.n.sum()} samples, {fit.c.sum()} right",
    ]
    lines += [
        f"interval: {how}",
        "",
        *(f"  {name}  {_shown(found)}" for name, found in fit.parameters.items()),
    ]
    lines += ["", *(f"  {warned.code}: {warned.message}" for warned in fit.warnings)]
    return "\n".join(lines).rstrip()


def isoflop_json(fit: "IsoflopFit") -> dict[str, Any]:
    """Budgets with their optima, and the power law through them; numbers that are not finite become null."""
    ends = ("value", "low", "high")
    names = ("N_optimal", "D_optimal", "tokens_per_param", "loss_optimal")
    budgets = []
    for budget in fit.budgets:
        found = {name: getattr(budget, name) for name in names}
        optimum = {name: None if e is None else _json(e, *ends) for name, e in found.items()}
        budgets.append(
            {"C": budget.C, "rows": budget.rows, "sizes": budget.sizes, "status": budget.status} | optimum
        )
    return {
        "law": "isoflop",
        "rows": {"read": fit.read, "used": len(fit.frame), "excluded": len(fit.excluded)},
        "budgets": budgets,
        "parameters": {name: _json(found, *ends, "se") for name, found in fit.parameters.items()},
        "derived": {name: _json(found, *ends) for name, found in fit.derived.items()},
        "noise": {"value": fit.noise, "freedom": fit.noise_freedom},
        "status": fit.status,
        "warnings": [{"code": warned.code, "message": warned.message} for warned in fit.warnings],
        "interval": _interval_json(fit.intervals),
    }


def _interval_json(interval: "Interval") -> dict[str, Any]:
    return {
        "method": interval.method,
        "level": interval.level,
        "draws": interval.draws,
        "clusters": interval.clusters,
    }


def _json(found: "Estimate", *keys: str) -> dict[str, float | None]:
    numbers = {key: getattr(found, key) for key in keys}
    return {k: v if v is not None and math.isfinite(v) else None for k, v in numbers.items()}


def _shown(found: "Estimate") -> str:
    if found.low is None or found.high is None:
        return plain(found.value, 6)
    return estimate(found.value, found.low, found.high)


def known_words(fit: "Fit", name: str) -> str:
    """What was known of a parameter beforehand, in brackets; nothing where nothing was."""
    known = fit.known
    if name in known.fixed:
        return " (fixed)"
    said = []
    if name in known.bounds:
        said.append("within {:g} and {:g}".format(*known.bounds[name]))
    if name in known.priors:
        said.append("prior {:g} +- {:g}".format(*known.priors[name]))
    return f" ({', '.join(said)})" if said else ""


def _sensitivity(fit: "Fit") -> list[str]:
    """A line for each other width of the priors."""
    names = [name for name in fit.parameters if name not in fit.fixed]
    lines = []
    for other in fit.sensitivity:
        values = ", ".join(f"{name} = {plain(getattr(other.law, name), 4)}" for name in names)
        what = f"priors {other.width:g} times as wide" if math.isfinite(other.width) else "without the priors"
        lines.append(f"  {what}: {values}")
    return ["", *lines] if lines else []


def _known_json(fit: "Fit") -> dict[str, Any]:
    """Bounds, priors and what the answer is without them; nothing where none were given."""
    known: dict[str, Any] = {}
    if fit.known.bounds:
        known["bounds"] = {
            name: {"low": low, "high": high if math.isfinite(high) else None}
            for name, (low, high) in fit.known.bounds.items()
        }
    if fit.known.priors:
        known["priors"] = {name: {"mean": mean, "sd": sd} for name, (mean, sd) in fit.known.priors.items()}
        known["prior_sensitivity"] = [
            {
                "width": other.width if math.isfinite(other.width) else None,
                "parameters": dict(
                    zip(other.law.parameter_names(), map(float, other.law.values()), strict=True)
                ),
            }
            for other in fit.sensitivity
        ]
    return known


def _inputs(fit: "Fit") -> str:
    """Where each input comes from, and its range: a wrong column shows here."""
    parts = []
    for name, values in fit.rows.inputs.items():
        source = fit.rows.sources[name]
        from_where = "" if source == name else f" = {source}"
        parts.append(
            f"{name}{from_where} from {plain(float(values.min()), 3)} to {plain(float(values.max()), 3)}"
        )
    return ", ".join(parts)


def _objective(fit: "Fit") -> str:
    objective = fit.objective
    if objective.loss == "binomial":
        return "half the binomial deviance"
    named = {
        "huber": f"Huber, delta {objective.delta:g},",
        "lad": "absolute deviations",
        "mse": "squares",
        "quantile": f"quantile {objective.tau:g} loss",
    }
    residual = {"log": "log residuals", "raw": "residuals"}
    penalty = " plus the priors' penalty" if fit.known.priors else ""
    return f"sum of {named[objective.loss]} of {residual[objective.residual]}{penalty}"


def _interval(fit: "Fit") -> str:
    interval = fit.intervals
    units = "" if interval.clusters is None else f", {interval.clusters} units"
    why = f" ({interval.reason})" if interval.reason else ""
    return f"{100 * interval.level:g} % {interval.method}, {interval.draws} draws{units}{why}"


def _excluded(fit: "Fit") -> str:
    counts: dict[str, int] = {}
    for _, reason in fit.rows.excluded:
        counts[reason] = counts.get(reason, 0) + 1
    return "".join(f"; {count} left out: {reason}" for reason, count in counts.items())


def _at(fit: "Fit") -> str:
    return "" if fit.compute is None else f", at C = {plain(fit.compute)}"
