// What a fitted surface says, as pure functions. No document, no state.
//
// P = floor + (ceiling - floor) h(x), x = a(v) + b(v) u + d u^2; u = log10 training and v = log10 inference per problem,
// both counted from `origin`; a and b are linear between knots. The surface has one such predictor p, each draw another.
// At P = y, with g = h^-1((y - floor) / (ceiling - floor)): u(v) = 2 (g - a) / (b + s), s = sqrt(b^2 + 4 d (g - a)), where
// s = dx/du > 0, training helping; the local rate is eta = -du/dv = (a' + b' u) / s, which jumps at a knot.
//
// All else is looked for on a mesh in v, and what changes between two of its points is found by bisection.

const POINTS = 300;
const BESIDE = 1e-9; // decades from a knot to the points of a mesh on either side of it
const SLACK = 1e-12;

const links = {
  logit: { h: (x) => 1 / (1 + Math.exp(-x)), inverse: (p) => Math.log(p / (1 - p)) },
  cloglog: { h: (x) => -Math.expm1(-Math.exp(x)), inverse: (p) => Math.log(-Math.log1p(-p)) },
  linear: { h: (x) => x, inverse: (p) => p },
};

const steps = (low, high, count) =>
  Array.from({ length: count + 1 }, (_, i) => (i < count ? low + ((high - low) * i) / count : high));

// a, b and their derivatives at v.
function terms({ knots, origin }, { a, b }, v) {
  const from = v - origin[1];
  let [k, end] = [0, knots.length - 1];
  while (end - k > 1) {
    const middle = (k + end) >> 1;
    if (from >= knots[middle]) k = middle;
    else end = middle;
  }
  const width = knots[k + 1] - knots[k];
  const [da, db] = [(a[k + 1] - a[k]) / width, (b[k + 1] - b[k]) / width];
  return { a: a[k] + da * (from - knots[k]), b: b[k] + db * (from - knots[k]), da, db };
}

function predictor(surface, u, v, p = surface.predictor) {
  const { a, b } = terms(surface, p, v);
  const from = u - surface.origin[0];
  return a + b * from + p.d * from * from;
}

function predict(surface, u, v) {
  const { floor, ceiling, link } = surface;
  return floor + (ceiling - floor) * links[link].h(predictor(surface, u, v));
}

// g of a target; NaN where no compute reaches it. A draw may have a floor and a ceiling of its own.
function level(surface, y, { floor = surface.floor, ceiling = surface.ceiling } = surface.predictor) {
  const share = (y - floor) / (ceiling - floor);
  return share > 0 && share < 1 ? links[surface.link].inverse(share) : NaN;
}

// u and eta of the isoquant at v; NaN where training does not help, or does not get there.
function point(surface, g, v, p = surface.predictor) {
  const { a, b, da, db } = terms(surface, p, v);
  const slope = Math.sqrt(b * b + 4 * p.d * (g - a));
  const from = (2 * (g - a)) / (b + slope);
  if (!(slope > 0 && b + slope > 0 && Number.isFinite(from))) return { u: NaN, eta: NaN };
  return { u: surface.origin[0] + from, eta: (da + db * from) / slope };
}
const isoquant = (surface, g, v, p) => point(surface, g, v, p).u;
const localRate = (surface, g, v, p) => point(surface, g, v, p).eta;

// Points from low to high, among them both sides of every knot.
function mesh({ knots, origin }, low, high, count = POINTS) {
  const beside = knots.flatMap((knot) => [origin[1] + knot - BESIDE, origin[1] + knot + BESIDE]);
  const inside = beside.filter((v) => v > low && v < high);
  return [...steps(low, high, count), ...inside].sort((one, other) => one - other);
}

// Where f(v) changes along points: the last v with the one value and the first with the other.
function changes(f, points) {
  const values = points.map(f);
  const found = [];
  for (let index = 1; index < points.length; index += 1) {
    let [from, value] = [points[index - 1], values[index - 1]];
    while (value !== values[index]) {
      let [low, high] = [from, points[index]];
      while (high - low > 1e-14 * Math.max(1, Math.abs(low))) {
        const middle = (low + high) / 2;
        if (f(middle) === value) low = middle;
        else high = middle;
      }
      found.push({ low, high, value });
      [from, value] = [high, f(high)];
    }
  }
  return found;
}

// The inference that was measured at a training compute: between two levels, interpolated.
function measured({ support }, u) {
  const rows = support.by_level;
  if (!rows) return support.v;
  const k = rows.findIndex((row) => row.u >= u);
  if (k <= 0) return rows.at(k).v; // below the first, above the last
  const part = (u - rows[k - 1].u) / (rows[k].u - rows[k - 1].u);
  return [0, 1].map((end) => rows[k - 1].v[end] + part * (rows[k].v[end] - rows[k - 1].v[end]));
}

function supported(surface, u, v) {
  const [least, most] = surface.support.u;
  if (!(u >= least - SLACK && u <= most + SLACK)) return false;
  const [low, high] = measured(surface, u);
  return v >= low - SLACK && v <= high + SLACK;
}

const serial = (surface, u, v) => surface.latency[0] + surface.latency[1] * u + surface.latency[2] * v;
const allowed = (surface, u, v, cap) =>
  cap === null || !surface.latency || serial(surface, u, v) <= Math.log10(cap);

// Stretches [low, high] of v along the isoquant, each of one kind: "supported", "extrapolated", "cut" or "none".
function stretches(surface, y, cap = null, range = surface.support.v) {
  const g = level(surface, y);
  const kind = (v) => {
    const u = isoquant(surface, g, v);
    if (Number.isNaN(u)) return "none";
    if (!allowed(surface, u, v, cap)) return "cut";
    return supported(surface, u, v) ? "supported" : "extrapolated";
  };
  const turns = changes(kind, mesh(surface, ...range));
  const highs = [...turns.map(({ low }) => low), range[1]];
  return [range[0], ...turns.map(({ high }) => high)].map((low, k) => ({ low, high: highs[k], kind: kind(low) }));
}

// What the data's report says at a target, if it does.
const reported = (surface, y) => surface.rates?.find(({ target }) => Math.abs(target - y) < 1e-9);

// The supported stretches of the isoquant; one that the data's report has, as it is. The draws are asked along these too, so that all answer one question.
function pieces(surface, y, cap = null) {
  const given = cap === null && reported(surface, y)?.v;
  if (given) return [given];
  return stretches(surface, y, cap)
    .filter(({ low, high, kind }) => kind === "supported" && high - low > SLACK)
    .map(({ low, high }) => [low, high]);
}

// Span-averaged rate: decades of training replaced over decades of inference, along the pieces.
function span(surface, y, cap = null, p = surface.predictor, found = pieces(surface, y, cap)) {
  if (!found.length) return null;
  const g = level(surface, y, p);
  const u = (v) => isoquant(surface, g, v, p);
  const decades = found.reduce((sum, [low, high]) => sum + high - low, 0);
  const replaced = found.reduce((sum, [low, high]) => sum + u(low) - u(high), 0);
  const widest = Math.max(...found.map(([low, high]) => high - low));
  return { rate: replaced / decades, decades, replaced, widest, pieces: found };
}

// The cheapest point of the pieces for V problems; costs in prices of one unit of training compute. `kind` is "interior",
// where the cost turns from falling to rising (d eta / d ln C_inf < eta (1 + eta), or a knot, whose rates on either side are
// `beside` and have the ratio of the spends between them), or "corner", at the end of the support or the cap.
function optimum(surface, y, volume, price, cap = null, p = surface.predictor, found = pieces(surface, y, cap)) {
  const g = level(surface, y, p);
  const ratio = volume * price;
  const rises = (v) => {
    const { u, eta } = point(surface, g, v, p);
    return Number.isNaN(u) ? null : ratio * 10 ** (v - u) > eta;
  };
  let best = null;
  for (const piece of found) {
    const points = mesh(surface, ...piece);
    const turns = changes(rises, points);
    if (rises(piece[0]) === null || turns.some(({ high }) => rises(high) === null)) return null;
    const inside = turns.filter(({ value }) => !value).map(({ low: v }) => ({ v, kind: "interior" }));
    const worst = turns.some(({ value }) => value);
    const ends = piece.map((v, index) => ({ v, kind: "corner", end: ["least", "most"][index], worst }));
    for (const one of [...inside, ...ends]) {
      const { u, eta } = point(surface, g, one.v, p);
      const [training, inference] = [10 ** u, ratio * 10 ** one.v];
      const cost = training + inference;
      if (best && best.cost <= cost) continue;
      best = { ...one, u, cost, training, inference, share: training / cost, eta, beside: null };
    }
  }
  if (best?.kind !== "interior") return best;
  const beside = [-3, 3].map((side) => localRate(surface, g, best.v + side * BESIDE, p));
  if (Math.abs(beside[0] - beside[1]) < 1e-6 * Math.abs(best.eta)) return best;
  return { ...best, eta: best.inference / best.training, beside };
}

// log10 of the inference at which a checkpoint reaches y; {v: null, why} where it does not within the support.
function reach(surface, y, u, cap = null, p = surface.predictor) {
  const g = level(surface, y, p);
  if (Number.isNaN(g)) return { v: null, why: "above" };
  const enough = (v) => predictor(surface, u, v, p) >= g;
  const [low, high] = measured(surface, u);
  if (enough(low)) return { v: null, why: "below" };
  const first = changes(enough, mesh(surface, low, high))[0];
  if (!first) return { v: null, why: "never" };
  return allowed(surface, u, first.high, cap) ? { v: first.high, why: null } : { v: null, why: "cap" };
}

// The volume from which the checkpoint with more training is the cheaper one: V* = (C_B - C_A) / (price (c_A - c_B)).
function breakEven(surface, y, uA, uB, price, cap = null, p = surface.predictor) {
  const [A, B] = [reach(surface, y, uA, cap, p), reach(surface, y, uB, cap, p)];
  const result = { A, B, volume: null, dominates: null };
  if (A.v === null || B.v === null || uA === uB) return result;
  const volume = (10 ** uB - 10 ** uA) / (price * (10 ** A.v - 10 ** B.v));
  if (volume > 0 && Number.isFinite(volume)) return { ...result, volume };
  return { ...result, dominates: uA < uB ? "A" : "B" };
}

// Linear interpolation between order statistics, as numpy has it; infinities sort last.
function quantile(values, q) {
  const sorted = Float64Array.from(values).sort();
  const place = (sorted.length - 1) * q;
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low === high ? low : low + (high - low) * (place - Math.floor(place));
}

// Central 95 % of what `measure` gives for each draw, and in how many it is undefined (null or not finite).
function interval(surface, measure) {
  const values = surface.draws.map(measure).filter((x) => x !== null && Number.isFinite(x));
  const missing = surface.draws.length - values.length;
  const known = values.length > 0 && missing <= 0.05 * surface.draws.length;
  return { low: known ? quantile(values, 0.025) : null, high: known ? quantile(values, 0.975) : null, missing };
}

const exchange = {
  predictor, predict, level, isoquant, localRate, mesh, measured, stretches, pieces, span, optimum, reach, breakEven,
  quantile, interval,
};
