// The two drawings as SVG text: functions of sizes, numbers and state; colours are the page's variables.

const BLUE = "#4c74ee", RED = "#bc4436", GREEN = "#00a76d";
const FONT = 13;
const textWidth = (text) =>
  FONT * [...text].reduce((sum, letter) => sum + ("⁻⁰¹²³⁴⁵⁶⁷⁸⁹".includes(letter) ? 0.45 : 0.62), 0);
const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
const line = (points, style) => (points.length > 1 ? `<path d="${path(points)}" fill="none" ${style}/>` : "");
const dashes = { extrapolated: 'stroke-dasharray="6 5"', supported: "" };

// Ticks of a log axis, in log10 units: the densest of some candidates whose labels do not touch.
function ticks(low, high, pixels, size) {
  const powers = steps(Math.floor(low), Math.ceil(high), Math.ceil(high) - Math.floor(low)).map(Math.round);
  const marks = (digits, stride = 1) =>
    powers
      .filter((power) => power % stride === 0)
      .flatMap((power) => digits.map((digit) => ({ at: power + Math.log10(digit), digit, power })))
      .filter(({ at }) => at >= low - 1e-9 && at <= high + 1e-9)
      .map(({ at, digit, power }) => ({ at, text: `${digit > 1 ? `${digit} × ` : ""}10${superscript(power)}` }));
  const decades = [1, 2, 3, 4, 5, 10].map((stride) => marks([1], stride));
  const finer = [marks([1, 2, 5]), marks([1, 3]), marks([1, 2, 3, 4, 5, 6, 7, 8, 9])];
  const close = high - low < 1 ? [finer[2]] : [];
  const candidates = high - low >= 2.5 ? decades : [...close, ...finer, ...decades];
  const room = (list) =>
    list.length <= 9 && list.every(({ at, text }, i) =>
      !i || ((at - list[i - 1].at) / (high - low)) * pixels > (size(text) + size(list[i - 1].text)) / 2 + 10);
  return candidates.find((list) => list.length > 1 && room(list)) ?? decades[0].slice(0, 1);
}

// Labels that do not touch: each is put at the first of its places that is free, or left out.
function labels(width, height) {
  const taken = [];
  const texts = [];
  const block = (box) => taken.push(box);
  const free = ([l, t, r, b]) => l >= 0 && t >= 0 && r <= width && b <= height
    && taken.every((o) => r <= o[0] || l >= o[2] || b <= o[1] || t >= o[3]);
  const halo = 'stroke="var(--paper)" stroke-width="3.5" paint-order="stroke" stroke-linejoin="round"';
  function add(text, places, style) {
    const w = textWidth(text);
    for (const [x, y, anchor] of places) {
      const left = anchor === "end" ? x - w : anchor === "middle" ? x - w / 2 : x;
      const box = [left - 2, y - FONT, left + w + 2, y + 4];
      if (!free(box)) continue;
      block(box);
      const place = `x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"`;
      texts.push(`<text ${place} ${halo} ${style}>${esc(text)}</text>`);
      return;
    }
  }
  return { add, block, svg: () => texts.join("") };
}

// Axes with both scales: x and y map log10 units to pixels.
function axes(width, height, across, up, titles, clip) {
  const marksY = ticks(...up, height - 78, () => FONT);
  const left = 14 + Math.max(...marksY.map(({ text }) => textWidth(text)), 20);
  const box = { left, top: 28, right: width - 12, bottom: height - 50 };
  const marksX = ticks(...across, box.right - box.left, textWidth);
  const x = (value) => box.left + ((value - across[0]) / (across[1] - across[0])) * (box.right - box.left);
  const y = (value) => box.bottom - ((value - up[0]) / (up[1] - up[0])) * (box.bottom - box.top);
  const muted = 'stroke="var(--muted)" stroke-width=".9"';
  const rules = [
    ...marksX.map(({ at }) => `M${x(at).toFixed(1)} ${box.top}V${box.bottom}`),
    ...marksY.map(({ at }) => `M${box.left.toFixed(1)} ${y(at).toFixed(1)}H${box.right}`),
  ].join("");
  const tick = (kind, across, down, anchor, text) =>
    `<text class="tick-${kind}" x="${across.toFixed(1)}" y="${down.toFixed(1)}" text-anchor="${anchor}">${text}</text>`;
  const under = marksX.map(({ at, text }) =>
    tick("x", Math.min(x(at), width - textWidth(text) / 2), box.bottom + 18, "middle", text));
  const beside = marksY.map(({ at, text }) => tick("y", box.left - 7, y(at) + 4.5, "end", text));
  const svg = `<clipPath id="${clip}"><rect x="${box.left}" y="${box.top}" width="${box.right - box.left}" ` +
    `height="${box.bottom - box.top}"/></clipPath><path d="${rules}" stroke="var(--grid)" stroke-width=".8"/>` +
    `<path d="M${box.left} ${box.top}V${box.bottom}H${box.right}" fill="none" ${muted}/>` +
    `<g fill="var(--ink)">${under.join("")}${beside.join("")}</g><g fill="var(--muted)" font-size="14">` +
    `<text x="2" y="15">${esc(titles[1])}</text>` +
    `<text x="${(box.left + box.right) / 2}" y="${height - 8}" text-anchor="middle">${esc(titles[0])}</text></g>`;
  return { x, y, box, svg, clip: `clip-path="url(#${clip})"` };
}

const figure = (width, height, name, inner) =>
  `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${esc(name)}">${inner}</svg>`;

// A span with a margin, so that there is something beyond it to see.
function widened([low, high]) {
  const margin = Math.max(0.12 * (high - low), 0.15);
  return [low - margin, high + margin];
}

const drawable = (u) => Math.max(-1e3, Math.min(u, 1e3));

// The isoquant of a score as polylines by kind, where it is in view.
function isolines(surface, y, cap, view) {
  const g = exchange.level(surface, y);
  return exchange.stretches(surface, y, cap, view.v)
    .filter(({ kind }) => kind === "supported" || kind === "extrapolated")
    .map(({ low, high, kind }) => {
      const points = exchange.mesh(surface, low, high, 60).map((v) => [drawable(exchange.isoquant(surface, g, v)), v]);
      return { kind, points };
    });
}

// Central 95 % of the draws' isoquants at each measured v; a draw in which training does not help needs infinitely much.
function band(surface, y) {
  if (Number.isNaN(exchange.level(surface, y)) || !surface.draws.length) return [];
  const levels = surface.draws.map((p) => exchange.level(surface, y, p));
  const sides = exchange.mesh(surface, ...surface.support.v, 40).map((v) => {
    const found = surface.draws.map((p, index) => exchange.isoquant(surface, levels[index], v, p));
    const places = found.map((u) => (Number.isNaN(u) ? Infinity : u));
    return [0.025, 0.975].map((q) => [drawable(exchange.quantile(places, q)), v]);
  });
  return [...sides.map(([low]) => low), ...sides.map(([, high]) => high).reverse()];
}

// Round scores for the fainter isoquants, away from the target.
const ROUND = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99];
const logit = (y) => Math.log(y / (1 - y));
const otherScores = ({ floor, ceiling }, target) =>
  ROUND.filter((y) => y > floor && y < ceiling && Math.abs(logit(y) - logit(target)) > 0.18);

function plane(surface, state, compared, units, width, clip) {
  const height = Math.round(Math.min(460, Math.max(360, width * 0.66)));
  const view = { u: widened(surface.support.u), v: widened(surface.support.v) };
  const { target, volume, price, cap } = state;
  const to = axes(width, height, view.u, view.v, [`Training (${units.train})`, `Inference (${units.infer})`], clip);
  const at = ([u, v]) => [to.x(u), to.y(v)];
  const main = [target, isolines(surface, target, cap, view)];
  const faint = otherScores(surface, target).map((y) => [y, isolines(surface, y, null, view)]);
  const best = exchange.optimum(surface, target, volume, price, cap);
  const drawn = [ground(surface, target, at), ...faint.map((other) => curves(other, at, FAINT)), curves(main, at, STRONG)];
  if (best) drawn.push(budgetLine(best, volume * price, view, at));
  const tags = labels(to.box.right, to.box.bottom);
  const marks = [cellMarks(surface, at, tags), checkpointMarks(surface, state, compared, at, tags)];
  if (best) marks.push(optimumMark(at([best.u, best.v]), tags));
  nameCurve(main, at, to.box, tags, `fill="${BLUE}" font-weight="650"`);
  for (const other of faint) nameCurve(other, at, to.box, tags, 'fill="var(--muted)" font-size="12"');
  const inner = `${to.svg}<g ${to.clip}>${drawn.join("")}</g>${marks.join("")}${tags.svg()}`;
  return figure(width, height, `Training against inference compute, with the isoquant of ${percent(target)}`, inner);
}

const FAINT = 'stroke="var(--muted)" stroke-width="1" opacity=".55"';
const STRONG = `class="target" stroke="${BLUE}" stroke-width="2.5"`;
const curves = ([, lines], at, style) =>
  lines.map(({ kind, points }) => line(points.map(at), `data-kind="${kind}" ${style} ${dashes[kind]}`)).join("");

// The measured span and, over it, the band of the draws.
function ground(surface, target, at) {
  const { u, by_level: rows } = surface.support;
  const across = rows ? rows.map((row) => row.u) : u;
  const edge = (end) => across.map((place) => at([place, exchange.measured(surface, place)[end]]));
  const box = `<path class="measured" d="${path([...edge(0), ...edge(1).reverse()])}Z" fill="var(--wash)" opacity=".75"/>`;
  const ribbon = band(surface, target).map(at);
  return ribbon.length ? `${box}<path class="band" d="${path(ribbon)}Z" fill="${BLUE}" opacity=".18"/>` : box;
}

// The score beside one end of its curve, where there is room.
function nameCurve([y, lines], at, box, tags, style) {
  const inside = lines.flatMap(({ points }) => points).map(at).filter(([across, down]) =>
    across > box.left + 18 && across < box.right - 14 && down > box.top + 14 && down < box.bottom - 8);
  const places = [inside.at(-1), inside[0], inside[Math.floor(inside.length / 2)]].filter(Boolean);
  tags.add(percent(y), places.map(([across, down]) => [across, down + 4, "middle"]), style);
}

function budgetLine({ cost }, ratio, view, at) {
  const points = steps(...view.v, 120)
    .map((v) => [Math.log10(cost - ratio * 10 ** v), v])
    .concat(steps(...view.u, 120).map((u) => [u, Math.log10((cost - 10 ** u) / ratio)]))
    .filter(([u, v]) => Number.isFinite(u) && Number.isFinite(v))
    .sort((one, other) => one[1] - other[1] || other[0] - one[0]);
  return line(points.map(at), `stroke="${RED}" stroke-width="1.5" stroke-dasharray="2 3"`);
}

function cellMarks(surface, at, tags) {
  const places = surface.cells.map((cell) => [cell, at([cell.u, cell.v])]);
  places.forEach(([, [x, y]]) => tags.block([x - 5, y - 5, x + 5, y + 5]));
  return places.map(([{ score }, [x, y]]) => {
    const text = (100 * score).toFixed(0);
    tags.add(text, [[x + 8, y - 3, "start"], [x - 8, y - 3, "end"], [x + 8, y + 13, "start"], [x - 8, y + 13, "end"]],
      'fill="var(--ink)" font-size="12"');
    return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3.5" fill="var(--ink)" stroke="var(--paper)">` +
      `<title>${percent(score)} measured</title></circle>`;
  }).join("");
}

function checkpointMarks(surface, { target, cap }, compared, at, tags) {
  return compared.map((checkpoint, index) => {
    const { v } = checkpoint ? exchange.reach(surface, target, checkpoint.u, cap) : { v: null };
    if (v === null || v === undefined) return "";
    const [x, y] = at([checkpoint.u, v]);
    tags.add("AB"[index], [[x + 8, y + 15, "start"], [x - 8, y - 7, "end"], [x + 8, y - 7, "start"]],
      `fill="${GREEN}" font-weight="650"`);
    return `<rect x="${(x - 4.5).toFixed(1)}" y="${(y - 4.5).toFixed(1)}" width="9" height="9" fill="var(--paper)" ` +
      `stroke="${GREEN}" stroke-width="2"/>`;
  }).join("");
}

function optimumMark([x, y], tags) {
  tags.block([x - 7, y - 7, x + 7, y + 7]);
  return `<path class="optimum" d="M${x.toFixed(1)} ${(y - 7.5).toFixed(1)}l7.5 7.5l-7.5 7.5l-7.5 -7.5z" fill="${RED}" ` +
    'stroke="var(--paper)" stroke-width="1.5"/>';
}
