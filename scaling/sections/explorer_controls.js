// The controls: their layout, what they show, what a change of one means, and the state as an address.

const caption = (id, text) => `<label class="name" for="${id}">${esc(text)}</label>`;
const options = (items) => items.map(({ key, label }) => `<option value="${esc(key)}">${esc(label)}</option>`).join("");
const select = (id, field, label, items) =>
  `<div>${caption(id, label)}<select id="${id}" data-field="${field}">${options(items)}</select></div>`;

// A slider with a number beside it; the slider is in log10 units, or in per cent.
const slider = (id, field, label, low, high, step, beside) =>
  `<div>${caption(id, label)}<div class="pair"><input type="range" id="${id}" data-field="${field}" ` +
  `min="${low}" max="${high}" step="${step}">${beside}</div></div>`;
const number = (field, label) =>
  `<input type="number" data-field="${field}" aria-label="${esc(label)}" min="0" step="any">`;

function radios(id, { key, label, choices }) {
  const each = choices.map((choice) =>
    `<label class="choice"><input type="radio" name="${id}-${esc(key)}" data-field="switch" data-key="${esc(key)}" ` +
    `value="${esc(choice.key)}">${esc(choice.label)}</label>`);
  return `<fieldset><legend>${esc(label)}</legend>${each.join("")}</fieldset>`;
}

function layout(id, data, [low, high]) {
  const controls = [
    select(`${id}-method`, "method", "Method", data.methods),
    ...data.switches.map((one) => radios(id, one)),
    slider(`${id}-target`, "target", "Target accuracy (%)", 0.5, 99.5, 0.5,
      number("target", "Target accuracy in per cent")),
    slider(`${id}-volume`, "volume-log", "Lifetime volume V (problems)", low, high, 0.1,
      number("volume", "Lifetime volume in problems")),
    slider(`${id}-price`, "price-log", "Price of inference / of training", -3, 3, 0.1,
      '<output data-field="price"></output>'),
    '<div><label class="name choice"><input type="checkbox" data-field="capped"> Cap on serial tokens</label>' +
      '<div class="pair"><input type="range" data-field="cap-log" min="0" max="7" step=".1" ' +
      'aria-label="Cap on serial tokens"><output data-field="cap"></output></div></div>',
    select(`${id}-a`, "a", "Checkpoint A", []),
    select(`${id}-b`, "b", "Checkpoint B", []),
  ];
  const drawing = (name, title, items) =>
    `<div class="drawing"><h3>${title}</h3><div data-part="${name}"></div>${key(items)}</div>`;
  return `<div class="controls">${controls.join("")}</div><div class="answers" role="status" aria-live="polite">` +
    `${["rate", "optimum", "breakeven", "settings"].map((name) => `<p data-part="${name}"></p>`).join("")}</div>` +
    `<div data-part="drawings">${drawing("plane", "What reaches the target", SWATCHES)}` +
    `${drawing("costs", "What it costs over a lifetime", SPENT)}</div>`;
}

// Put the state into the controls, except into the one that the reader is typing in.
function fillControls(root, state, levels, compared, surface) {
  const put = (field, value, spoken) => root.querySelectorAll(`[data-field="${field}"]`).forEach((control) => {
    if (control.tagName === "OUTPUT") control.textContent = value;
    else if (control !== document.activeElement || control.type !== "number") control.value = value;
    if (control.type === "range" && spoken) control.setAttribute("aria-valuetext", spoken);
    control.removeAttribute("aria-invalid");
  });
  put("method", state.method);
  put("target", Number((100 * state.target).toFixed(6)), percent(state.target));
  put("volume", state.volume < 1e7 ? state.volume : state.volume.toExponential().replace("+", ""));
  put("volume-log", Math.log10(state.volume), `${plain(state.volume)} problems`);
  put("price", plain(state.price));
  put("price-log", Math.log10(state.price), plain(state.price));
  put("cap", !surface?.latency ? "not measured" : state.cap === null ? "off" : plain(state.cap));
  put("cap-log", Math.log10(state.cap ?? state.lastCap), `${plain(state.cap ?? state.lastCap)} serial tokens`);
  root.querySelector('[data-field="capped"]').checked = state.cap !== null;
  root.querySelector('[data-field="capped"]').disabled = !surface?.latency;
  root.querySelector('[data-field="cap-log"]').disabled = !surface?.latency || state.cap === null;
  for (const radio of root.querySelectorAll('[data-field="switch"]'))
    radio.checked = state.choice[radio.dataset.key] === radio.value;
  ["a", "b"].forEach((field, index) => {
    const control = root.querySelector(`[data-field="${field}"]`);
    const html = options(levels.map(({ label }) => ({ key: label, label })));
    if (control.dataset.options !== html) control.innerHTML = control.dataset.options = html;
    control.value = compared[index]?.label ?? "";
  });
}

const rounded = (power) => Number((10 ** power).toPrecision(3));

// The state after a change of one control; null where what it holds is no value.
function read(state, control) {
  const { field, key } = control.dataset;
  const value = Number(control.value);
  const bad = !(value > 0 && Number.isFinite(value));
  switch (field) {
    case "method": case "a": case "b": return { ...state, [field]: control.value };
    case "switch": return { ...state, choice: { ...state.choice, [key]: control.value } };
    case "volume-log": return { ...state, volume: rounded(value) };
    case "price-log": return { ...state, price: rounded(value) };
    case "cap-log": return { ...state, cap: rounded(value), lastCap: rounded(value) };
    case "capped": return { ...state, cap: control.checked ? state.lastCap : null };
    case "target": case "volume":
      if (bad || (field === "target" && value >= 100)) {
        control.setAttribute("aria-invalid", "true");
        return null;
      }
      return { ...state, [field]: field === "target" ? value / 100 : value };
    default: return null;
  }
}

// The state as the query of an address, and back; what an address lacks or gets wrong stays as at first.
function address(data, state) {
  const fields = { method: state.method };
  for (const { key } of data.switches) fields[`choice.${key}`] = state.choice[key];
  Object.assign(fields, { target: 100 * state.target, volume: state.volume, price: state.price });
  for (const field of ["cap", "a", "b"]) if (state[field]) fields[field] = state[field];
  return new URLSearchParams(fields).toString();
}

function parse(data, query) {
  const state = initial(data);
  const among = (items, key) => items.some((one) => one.key === key);
  if (among(data.methods, query.get("method"))) state.method = query.get("method");
  for (const { key, choices } of data.switches)
    if (among(choices, query.get(`choice.${key}`))) state.choice[key] = query.get(`choice.${key}`);
  for (const [field, scale] of [["target", 100], ["volume", 1], ["price", 1], ["cap", 1]]) {
    const value = Number(query.get(field)) / scale;
    if (value > 0 && Number.isFinite(value) && (field !== "target" || value < 1)) state[field] = value;
  }
  state.lastCap = state.cap ?? state.lastCap;
  for (const field of ["a", "b"]) state[field] = query.get(field) ?? "";
  return state;
}
