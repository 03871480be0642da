// The page's part: controls, their state in the address, and when to draw.

const SWATCHES = [
  ["isoquant of the target, measured span", `<path d="M0 6H28" stroke="${BLUE}" stroke-width="2.5"/>`],
  ["outside it: extrapolation", `<path d="M0 6H28" stroke="${BLUE}" stroke-width="2.5" stroke-dasharray="6 5"/>`],
  ["central 95 % of the draws", `<rect width="28" height="12" fill="${BLUE}" opacity=".25"/>`],
  ["other scores", '<path d="M0 6H28" stroke="var(--muted)" opacity=".7"/>'],
  ["measured, score in %", '<circle cx="14" cy="6" r="3.5" fill="var(--ink)"/>'],
  ["optimum and its budget line", `<path d="M0 6H28" stroke="${RED}" stroke-width="1.5" stroke-dasharray="2 3"/>` +
    `<path d="M14 0l6 6l-6 6l-6 -6z" fill="${RED}"/>`],
  ["checkpoints A and B", `<rect x="9" y="1.5" width="9" height="9" fill="none" stroke="${GREEN}" stroke-width="2"/>`],
];
const SPENT = [
  ["cheapest: total", `<path d="M0 6H28" stroke="${BLUE}" stroke-width="2.5"/>`],
  ["its training", `<path d="M0 6H28" stroke="${BLUE}" stroke-width="1.5" stroke-dasharray="7 4"/>`],
  ["its inference", `<path d="M0 6H28" stroke="${BLUE}" stroke-width="1.5" stroke-dasharray="1.5 3.5" ` +
    'stroke-linecap="round"/>'],
  ["A", `<path d="M0 6H28" stroke="${GREEN}" stroke-width="1.5"/>`],
  ["B", `<path d="M0 6H28" stroke="${GREEN}" stroke-width="1.5" stroke-dasharray="8 3 2 3"/>`],
];
function key(items) {
  const each = items.map(([text, mark]) => `<li><svg viewBox="0 0 28 12" aria-hidden="true">${mark}</svg>${text}</li>`);
  return `<ul class="key">${each.join("")}</ul>`;
}

function explore(root) {
  const id = root.id;
  const data = JSON.parse(document.getElementById(id.replace(/^interactive-/, "data-")).textContent);
  const volumes = volumeSpan(data);
  let state = initial(data);
  root.insertAdjacentHTML("beforeend", layout(id, data, volumes));
  const part = (name) => root.querySelector(`[data-part="${name}"]`);

  function show() {
    const surface = surfaceOf(data, state);
    const shownState = surface?.latency ? state : { ...state, cap: null };
    const compared = checkpoints(surface, shownState);
    fillControls(root, state, surface?.levels ?? [], compared, surface);
    answers(part, data, surface, shownState, compared);
    draw(part, data, surface, shownState, compared, id);
  }

  root.addEventListener("input", ({ target }) => {
    const changed = read(state, target);
    if (!changed) return;
    state = changed;
    show();
    history.replaceState(null, "", `#${id}?${address(data, state)}`);
  });
  const restore = () => {
    const [name, query] = location.hash.slice(1).split("?");
    if (name !== id || query === undefined) return;
    state = parse(data, new URLSearchParams(query));
    show();
    root.scrollIntoView();
  };
  addEventListener("hashchange", restore);
  let width = 0;
  new ResizeObserver(() => {
    if (root.clientWidth !== width) show();
    width = root.clientWidth;
  }).observe(root);
  show();
  width = root.clientWidth;
  root.classList.add("drawn");
  restore();
}

function surfaceOf(data, state) {
  return data.surfaces.find((one) =>
    one.method === state.method && data.switches.every(({ key }) => one.choice[key] === state.choice[key]));
}

// A and B: those chosen; else the first and the last of which the target can be had.
function checkpoints(surface, { target, cap, a, b }) {
  const levels = surface?.levels ?? [];
  const able = levels.filter(({ u }) => exchange.reach(surface, target, u, cap).v !== null);
  const usual = able.length > 1 ? able : levels;
  return [a, b].map((label, index) => levels.find((one) => one.label === label) ?? usual.at(index ? -1 : 0));
}

function initial(data) {
  const { method, target, volume, price_ratio: price } = data.defaults;
  const choice = { ...data.surfaces.find((one) => one.method === method).choice };
  return { method, choice, target, volume, price, cap: null, lastCap: 1e4, a: "", b: "" };
}

// Volumes, in log10, that the control offers: those at which some surface's balance can turn, with room.
function volumeSpan(data) {
  const differences = data.surfaces.flatMap(({ support: { u, v } }) => [u[0] - v[1], u[1] - v[0]]);
  return [Math.max(0, Math.floor(Math.min(...differences)) - 2), Math.max(6, Math.ceil(Math.max(...differences)) + 2)];
}

function draw(part, data, surface, state, compared, id) {
  part("drawings").hidden = !surface;
  if (!surface) return;
  const units = unitsOf(data, surface);
  const width = Math.max(280, part("drawings").clientWidth);
  part("plane").innerHTML = plane(surface, state, compared, units, width, `${id}-plane`);
  part("costs").innerHTML = costs(surface, state, compared, units, width, `${id}-costs`);
  part("costs").parentElement.hidden = !part("costs").innerHTML;
}

const unitsOf = (data, surface) => ({
  train: surface.train_unit ?? data.train_unit,
  infer: surface.infer_unit ?? data.infer_unit,
});

// The answers; a paragraph is touched only where its words change, so that readers aloud hear what is new.
function answers(part, data, surface, state, compared) {
  const say = (name, title, { text, doubt }) => {
    const html = text && `<b>${title}</b>${text}`;
    const paragraph = part(name);
    paragraph.classList.toggle("doubt", doubt);
    if (paragraph.dataset.said !== html) paragraph.innerHTML = paragraph.dataset.said = html;
  };
  const nothing = { text: "", doubt: false };
  if (!surface) {
    say("rate", "Exchange rate", { text: "Not measured for this method with these choices.", doubt: true });
    ["optimum", "breakeven", "settings"].forEach((name) => say(name, "", nothing));
    return;
  }
  const units = unitsOf(data, surface);
  const rate = rateText(surface, state);
  const doubted = reported(surface, state.target) ?? surface;
  const note = doubted.note ? ` ${esc(doubted.note)}` : "";
  const status = `<span data-role="status">Status: ${esc(doubted.status)}.</span>${note}`;
  say("rate", "Exchange rate η", { ...rate, text: `${rate.text} ${status}` });
  say("optimum", "What to buy", optimumText(surface, state, units));
  say("breakeven", "Break-even of A and B", breakEvenText(surface, state, ...compared));
  const choices = data.switches.map(({ label, key, choices }) =>
    `${label}: ${choices.find((one) => one.key === state.choice[key])?.label}`);
  const method = data.methods.find((one) => one.key === state.method).label;
  const capped = state.cap === null ? [] : [`at most ${plain(state.cap)} serial tokens`];
  const settings = [method, ...choices, `price ratio ${plain(state.price)}`, ...capped].map(esc).join("; ");
  say("settings", "Settings", { text: settings, doubt: false });
}

document.querySelectorAll(`.interactive[data-script="${document.currentScript.dataset.script}"]`).forEach(explore);
globalThis.exchange = exchange;
