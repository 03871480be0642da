// Numbers as text, and the answers as sentences. Pure functions: HTML text out.

const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const esc = (text) => String(text).replace(/[&<>"']/g, (found) => escapes[found]);
const superscript = (n) =>
  String(n).replace(/[-\d]/g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"[sign === "-" ? 0 : 1 + Number(sign)]);
const minus = (text) => text.replace("-", "−");

function scientific(x, digits = 2) {
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  const power = `10${superscript(Number(exponent))}`;
  return Number(mantissa) === 1 ? power : `${minus(mantissa)}\u00a0×\u00a0${power}`;
}

// Significant digits; a power of ten outside .001 to 10,000.
function plain(x, digits = 2) {
  const size = Math.abs(x);
  if (size && (size < 1e-3 || size >= 1e4)) return scientific(x, digits);
  const places = size ? Math.max(0, digits - 1 - Math.floor(Math.log10(size))) : 0;
  return minus(x.toFixed(Math.min(places, 6)));
}

const percent = (share) => `${minus((100 * share).toFixed(1).replace(/\.0$/, ""))}\u00a0%`;

// A value that programs can read in full beside the digits for people.
const shown = (value, text, role) => `<data value="${value}"${role ? ` data-role="${role}"` : ""}>${text}</data>`;

// A value with its interval over the draws; digits follow half its width.
function estimate(surface, value, measure, role, percentages = false) {
  const count = surface.draws.length;
  const { low, high, missing } = interval(surface, measure);
  const lost = missing ? `; undefined in ${missing} of ${count} draws` : "";
  const some = (x, fallback) => (percentages ? percent(x) : fallback(x));
  if (!count) return `${shown(value, some(value, plain), role)} (no draws, so no interval)`;
  if (low === null) return `${shown(value, some(value, plain), role)} (no interval${lost})`;
  const half = (high - low) / 2;
  const places = half > 0 ? Math.min(4, Math.max(0, 1 - Math.floor(Math.log10(half)))) : 4;
  const apart = low > 0 && high > 10 * low;
  const text = (x) => some(x, (y) => (apart || y >= 1e4 ? plain(y) : minus(y.toFixed(places))));
  const ends = `[${shown(low, text(low), `${role}-low`)}, ${shown(high, text(high), `${role}-high`)}]`;
  return `${shown(value, text(value), role)} ${ends} in these draws${lost}`;
}

// Why a target has no supported isoquant.
function unreachable(surface, y, cap) {
  const { floor, ceiling } = surface;
  if (y >= ceiling) return `undefined: above this method's ceiling (${percent(ceiling)})`;
  if (y <= floor) return `undefined: at or below this method's floor (${percent(floor)}), which needs no compute`;
  const scores = steps(...surface.support.u, 40).flatMap((u) =>
    mesh(surface, ...measured(surface, u), 40).map((v) => predict(surface, u, v)));
  if (Math.max(...scores) < y) return "undefined: above what this method reaches in the measured span";
  if (Math.min(...scores) > y) return "undefined: below all that was measured, so no measured compute is that low";
  if (cap !== null && pieces(surface, y).length)
    return `undefined: every measured way to ${percent(y)} takes more than ${plain(cap)} serial tokens`;
  return "undefined: no part of the isoquant on which training helps lies in the measured span";
}

function rateText(surface, { target: y, cap }) {
  const found = span(surface, y, cap);
  if (!found) return { text: `η at ${percent(y)} is ${unreachable(surface, y, cap)}.`, doubt: true };
  if (surface.identified && !(y >= surface.identified[0] && y <= surface.identified[1])) {
    const text = `η at ${percent(y)} is not identified: the design has too few levels or budgets around this score.`;
    return { text, doubt: true };
  }
  const said = reported(surface, y);
  if (["undefined", "not identified"].includes(said?.status))
    return { text: `η at ${percent(y)} is ${said.status}.`, doubt: true };
  const draws = (p) => span(surface, y, cap, p, found.pieces).rate;
  const { rate, decades, replaced, widest } = found;
  const times = (power) => `${plain(10 ** power)}×`;
  const { low, high } = interval(surface, draws);
  const range = low === null ? "" : ` [${times(low)}, ${times(high)}]`;
  const tenfold =
    widest >= 1 - 1e-6
      ? `10× inference = 10<sup>η</sup> = ${times(rate)}${range} training.`
      : `Less than one decade of inference is supported: ${times(decades)} inference replaces ${times(replaced)} training.`;
  const parts = found.pieces.length > 1 ? ` in ${found.pieces.length} parts` : "";
  const over = `${shown(decades, plain(decades), "decades")} decades of inference${parts}`;
  return {
    text: `At ${percent(y)}, η = ${estimate(surface, rate, draws, "eta")}, averaged over ${over}. ${tenfold}`,
    doubt: (said ?? surface).status !== "ok" || low === null,
  };
}

function cornerText(surface, best, cap) {
  const atCap = cap !== null && surface.latency
    && Math.abs(serial(surface, best.u, best.v) - Math.log10(cap)) < 1e-9;
  const edge = atCap ? "the latency cap" : "the measured span";
  if (!(best.eta > 0)) return `a corner: inference replaces no training here, so as little of it as ${edge} allows. `;
  const all = best.end === "least" ? "all the training and as little inference" : "all the inference and as little training";
  const why = best.worst
    ? "inside it a balanced split is a maximum of the cost, dη/d ln C<sub>inf</sub> ≥ η(1 + η), or costs more"
    : "the cost still falls towards it, so the optimum may lie beyond";
  return `a corner: ${all} as ${edge} allows (${why}). `;
}

function optimumText(surface, { target: y, volume, price, cap }, units) {
  const best = optimum(surface, y, volume, price, cap);
  if (!best) return { text: `Undefined at ${percent(y)}: there is no supported isoquant to buy on.`, doubt: true };
  const bought = pieces(surface, y, cap);
  const share = (p) => optimum(surface, y, volume, price, cap, p, bought)?.share ?? null;
  const kind = best.kind === "interior" ? "an interior optimum: " : cornerText(surface, best, cap);
  const training = `${shown(10 ** best.u, scientific(10 ** best.u), "training")} ${esc(units.train)} of training`;
  const inference = `${shown(10 ** best.v, scientific(10 ** best.v), "inference")} ${esc(units.infer)}`;
  const problems = `For ${plain(volume)} problems, `;
  const spend = `Training's share of the spend: ${estimate(surface, best.share, share, "share", true)}`;
  return { text: `${problems}${kind}${training} and ${inference}. ${spend}${balanceText(best)}.`, doubt: best.kind !== "interior" };
}

// What an interior optimum's share is the balance of: at a knot, of an η between those on its sides.
function balanceText({ kind, eta, beside }) {
  if (kind !== "interior") return "";
  const sides = beside?.map((side) => plain(side));
  const bent = sides && sides[0] !== sides[1] ? `, where the surface bends and η falls from ${sides[0]} to ${sides[1]}` : "";
  return `, which is 1/(1\u00a0+\u00a0η) at the local η = ${plain(eta, 3)}${bent}`;
}

const reasons = {
  above: "the target is outside what this method can score",
  below: "reaches the target with less inference than was measured",
  never: "does not reach the target within the measured inference",
  cap: "reaches the target only above the latency cap",
};

function breakEvenText(surface, { target: y, price, cap }, one, other) {
  if (!one || !other || one.u === other.u) return { text: "Choose two checkpoints of different training.", doubt: true };
  const { A, B, volume, dominates } = breakEven(surface, y, one.u, other.u, price, cap);
  const named = [[one, A], [other, B]];
  const lost = named.filter(([, reached]) => reached.v === null);
  if (lost.length) {
    const each = lost.map(([{ label }, { why }]) => `${esc(label)} ${reasons[why]}`);
    const whole = lost[0][1].why === "above" ? reasons.above : each.join("; ");
    return { text: `Undefined at ${percent(y)}: ${whole}.`, doubt: true };
  }
  if (dominates) {
    const [winner, loser] = dominates === "A" ? [one, other] : [other, one];
    const text = `${esc(winner.label)} dominates: less training than ${esc(loser.label)}, and no more inference.`;
    return { text, doubt: false };
  }
  const draws = (p) => breakEven(surface, y, one.u, other.u, price, cap, p).volume;
  const [less, more] = one.u < other.u ? [one, other] : [other, one];
  const { low, missing } = interval(surface, draws);
  const costs = named.map(([{ label }, { v }]) => `${esc(label)} needs ${scientific(10 ** v)}`).join(", ");
  return {
    text: `V* (problems) = ${estimate(surface, volume, draws, "breakeven")}: below it ${esc(less.label)} is cheaper, ` +
      `above it ${esc(more.label)}. Per problem, ${costs}.`,
    doubt: missing > 0 && low === null,
  };
}
