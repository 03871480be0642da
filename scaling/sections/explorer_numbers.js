// What a fitted surface says, as pure functions. No document, no state.
//
// P = floor + (ceiling - floor) h(b0 + bu u + bv v + buv u v), u = log10 training, v = log10 inference per problem.
// At P = y, with g = h^-1((y - floor) / (ceiling - floor)): u(v) = (g - b0 - bv v) / D(v), D(v) = bu + buv v, and the
// local rate eta = -du/dv = K / D(v)^2 with K = bu bv + buv (g - b0). Training must help: D > 0.

const LN10 = Math.LN10;

const links = {
  logit: { h: (x) => 1 / (1 + Math.exp(-x)), inverse: (p) => Math.log(p / (1 - p)) },
  cloglog: { h: (x) => -Math.expm1(-Math.exp(x)), inverse: (p) => Math.log(-Math.log1p(-p)) },
  linear: { h: (x) => x, inverse: (p) => p },
};

function predict(surface, u, v, b = surface.coefficients) {
  const { floor, ceiling, link } = surface;
  return floor + (ceiling - floor) * links[link].h(b[0] + b[1] * u + b[2] * v + b[3] * u * v);
}

// g of a target, or null where no compute reaches it.
function level(surface, y) {
  const share = (y - surface.floor) / (surface.ceiling - surface.floor);
  return share > 0 && share < 1 ? links[surface.link].inverse(share) : null;
}

const slope = (b, v) => b[1] + b[3] * v;
const isoquant = (b, g, v) => (g - b[0] - b[2] * v) / slope(b, v);
const localRate = (b, g, v) => (b[1] * b[2] + b[3] * (g - b[0])) / slope(b, v) ** 2;
const serial = (surface, u, v) => surface.latency[0] + surface.latency[1] * u + surface.latency[2] * v;

// Real roots of a x^2 + b x + c, without cancellation.
function roots(a, b, c) {
  if (a === 0) return b === 0 ? [] : [-c / b];
  const square = b * b - 4 * a * c;
  if (square < 0) return [];
  const q = -(b + (b < 0 ? -1 : 1) * Math.sqrt(square)) / 2;
  return q === 0 ? [0] : [q / a, c / q];
}

// Where v(u) = u on the isoquant: one place, since it is a ratio of lines.
const crossing = (b, g, u) => (g - b[0] - b[1] * u) / (b[2] + b[3] * u);

// Places along v at which the isoquant enters or leaves the support, the cap, or the half plane where training helps.
function cuts(surface, g, cap, b, box = surface.support) {
  const places = [...box.v, ...box.u.map((u) => crossing(b, g, u))];
  if (b[3] !== 0) places.push(-b[1] / b[3]);
  if (cap !== null && surface.latency) {
    const [a0, au, av] = surface.latency;
    const rest = a0 - Math.log10(cap);
    places.push(...roots(av * b[3], rest * b[3] + av * b[1] - au * b[2], rest * b[1] + au * (g - b[0])));
  }
  return places;
}

// Whether a point of the isoquant is measured ground, and under the cap.
function supported(surface, u, v, cap) {
  const { u: across, v: up } = surface.support;
  return u >= across[0] && u <= across[1] && v >= up[0] && v <= up[1] && allowed(surface, u, v, cap);
}

const allowed = (surface, u, v, cap) =>
  cap === null || !surface.latency || serial(surface, u, v) <= Math.log10(cap);

// Stretches [low, high] of v between `cuts`, each with its kind: "supported", "extrapolated", "cut" or "none".
function stretches(surface, y, cap = null, b = surface.coefficients, range = surface.support.v) {
  const g = level(surface, y);
  if (g === null) return [];
  const inside = cuts(surface, g, cap, b).filter((v) => v > range[0] && v < range[1]);
  const ends = [...new Set([range[0], ...inside, range[1]])].sort((one, other) => one - other);
  return ends.slice(1).map((high, index) => {
    const middle = (ends[index] + high) / 2;
    const u = isoquant(b, g, middle);
    let kind = "extrapolated";
    if (!(slope(b, middle) > 0)) kind = "none";
    else if (!allowed(surface, u, middle, cap)) kind = "cut";
    else if (supported(surface, u, middle, cap)) kind = "supported";
    return { low: ends[index], high, kind };
  });
}

// The supported stretches of the isoquant, joined where they touch.
function pieces(surface, y, cap = null, b = surface.coefficients) {
  const joined = [];
  for (const { low, high, kind } of stretches(surface, y, cap, b)) {
    if (kind !== "supported") continue;
    if (joined.length && joined.at(-1)[1] === low) joined.at(-1)[1] = high;
    else joined.push([low, high]);
  }
  return joined;
}

// Span-averaged rate: decades of training replaced over decades of inference, along the supported isoquant.
function span(surface, y, cap = null, b = surface.coefficients) {
  const found = pieces(surface, y, cap, b);
  if (!found.length) return null;
  const g = level(surface, y);
  const decades = found.reduce((sum, [low, high]) => sum + high - low, 0);
  const replaced = found.reduce((sum, [low, high]) => sum + isoquant(b, g, low) - isoquant(b, g, high), 0);
  const widest = Math.max(...found.map(([low, high]) => high - low));
  return { rate: replaced / decades, decades, replaced, widest, pieces: found };
}

// The place of a sign change of f, which is monotone on [low, high].
function bisect(f, low, high) {
  const rising = f(high) > 0;
  for (let step = 0; step < 200 && high - low > 1e-14 * Math.max(1, Math.abs(low)); step += 1) {
    const middle = (low + high) / 2;
    if (f(middle) > 0 === rising) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}

// Stationary costs on a piece: log10(ratio) + v = u + log10 eta, on stretches where the difference is monotone.
function stationary(b, g, ratio, [low, high]) {
  const K = b[1] * b[2] + b[3] * (g - b[0]);
  if (!(K > 0)) return [];
  const f = (v) => Math.log10(ratio) + v - isoquant(b, g, v) - Math.log10(localRate(b, g, v));
  const turns = b[3] === 0 ? [] : roots(1, (2 * b[3]) / LN10, K).map((D) => (D - b[1]) / b[3]);
  const ends = [low, ...turns.filter((v) => v > low && v < high), high].sort((one, other) => one - other);
  const found = [];
  for (let index = 1; index < ends.length; index += 1) {
    const [from, to] = [f(ends[index - 1]), f(ends[index])];
    if (from * to < 0) found.push({ v: bisect(f, ends[index - 1], ends[index]), cheapest: to > 0 });
  }
  return found;
}

// The cheapest point of the supported isoquant for V problems; costs in prices of one unit of training compute.
// `kind` is "interior" (d eta / d ln C_inf < eta (1 + eta) there) or "corner", at the end of the support or the cap.
function optimum(surface, y, volume, price, cap = null, b = surface.coefficients) {
  const g = level(surface, y);
  const ratio = volume * price;
  let best = null;
  for (const piece of pieces(surface, y, cap, b)) {
    const turns = stationary(b, g, ratio, piece);
    const inside = turns.filter((turn) => turn.cheapest).map(({ v }) => ({ v, kind: "interior" }));
    const worst = turns.some((turn) => !turn.cheapest);
    const ends = piece.map((v, index) => ({ v, kind: "corner", end: ["least", "most"][index], worst }));
    for (const point of [...inside, ...ends]) {
      const u = isoquant(b, g, point.v);
      const [training, inference] = [10 ** u, ratio * 10 ** point.v];
      const cost = training + inference;
      if (best && best.cost <= cost) continue;
      best = { ...point, u, cost, training, inference, share: training / cost, eta: localRate(b, g, point.v) };
    }
  }
  return best;
}

// log10 of the inference at which a checkpoint reaches y; {v: null, why} where it does not within the support.
function reach(surface, y, u, cap = null, b = surface.coefficients) {
  const g = level(surface, y);
  if (g === null) return { v: null, why: "above" };
  const steep = b[2] + b[3] * u;
  const v = crossing(b, g, u);
  const at = (place) => b[0] + b[1] * u + b[2] * place + b[3] * u * place;
  const [low, high] = surface.support.v;
  if (!(steep > 0)) return { v: null, why: at(low) >= g ? "below" : "never" };
  if (v < low) return { v: null, why: "below" };
  if (v > high) return { v: null, why: "never" };
  return allowed(surface, u, v, cap) ? { v, why: null } : { v: null, why: "cap" };
}

// The volume from which the checkpoint with more training is the cheaper one: V* = (C_B - C_A) / (price (c_A - c_B)).
function breakEven(surface, y, uA, uB, price, cap = null, b = surface.coefficients) {
  const [A, B] = [reach(surface, y, uA, cap, b), reach(surface, y, uB, cap, b)];
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
  predict, level, isoquant, localRate, stretches, pieces, span, optimum, reach, breakEven, quantile, interval, slope,
  supported,
};
