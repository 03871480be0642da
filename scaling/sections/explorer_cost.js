// Lifetime cost against volume, as SVG text.

// Volumes, in log10, over which the balance of the spend can turn.
function turning(surface, price, volume) {
  const { u, v } = surface.support;
  const [low, high] = [u[0] - v[1] - Math.log10(price) - 0.5, u[1] - v[0] - Math.log10(price) + 0.5];
  return [Math.min(low, Math.log10(volume) - 0.5), Math.max(high, Math.log10(volume) + 0.5)];
}

// For each volume: the cheapest point's total and its two parts, as log10.
function spending(surface, { target, price, cap }, across) {
  const found = exchange.pieces(surface, target, cap);
  return steps(...across, 120).map((power) => {
    const best = exchange.optimum(surface, target, 10 ** power, price, cap, surface.predictor, found);
    if (!best) return null;
    const [cost, training, inference] = [best.cost, best.training, best.inference].map(Math.log10);
    return { power, cost, training, inference };
  }).filter(Boolean);
}

function costs(surface, state, compared, units, width, clip) {
  const height = Math.round(Math.min(380, Math.max(320, width * 0.52)));
  const { target, volume, price, cap } = state;
  const across = turning(surface, price, volume);
  const spent = spending(surface, state, across);
  if (!spent.length) return "";
  const up = [Math.min(...spent.map((s) => s.training)) - 1.2, Math.max(...spent.map((s) => s.cost)) + 0.3];
  const titles = ["Problems over the lifetime (V)", `Lifetime cost (as ${units.train} of training)`];
  const to = axes(width, height, across, up, titles, clip);
  const curve = (key) => spent.map((s) => [to.x(s.power), to.y(s[key])]);
  const drawn = compared.map((checkpoint, index) => fixed(surface, state, checkpoint, index, across, to));
  drawn.push(
    line(curve("training"), `stroke="${BLUE}" stroke-width="1.5" stroke-dasharray="7 4"`),
    line(curve("inference"), `stroke="${BLUE}" stroke-width="1.5" stroke-dasharray="1.5 3.5" stroke-linecap="round"`),
    line(curve("cost"), `stroke="${BLUE}" stroke-width="2.5"`),
  );
  const tags = labels(to.box.right, to.box.bottom);
  const best = exchange.optimum(surface, target, volume, price, cap);
  const now = [to.x(Math.log10(volume)), to.y(Math.log10(best.cost))];
  const marks = [optimumMark(now, tags), turnMark(surface, state, compared, across, to, tags)];
  const inner = `${to.svg}<g ${to.clip}>${drawn.join("")}</g>${marks.join("")}${tags.svg()}`;
  return figure(width, height, "Lifetime cost against the number of problems", inner);
}

// What a checkpoint costs that reaches the target, whatever the volume.
function fixed(surface, { target, price, cap }, checkpoint, index, across, to) {
  const { v } = checkpoint ? exchange.reach(surface, target, checkpoint.u, cap) : { v: null };
  if (v === null) return "";
  const cost = (power) => Math.log10(10 ** checkpoint.u + price * 10 ** (power + v));
  const dash = index ? 'stroke-dasharray="8 3 2 3"' : "";
  const points = steps(...across, 80).map((power) => [to.x(power), to.y(cost(power))]);
  return line(points, `stroke="${GREEN}" stroke-width="1.5" ${dash}`);
}

function turnMark(surface, { target, price, cap }, [one, other], across, to, tags) {
  if (!one || !other) return "";
  const { volume } = exchange.breakEven(surface, target, one.u, other.u, price, cap);
  const power = Math.log10(volume ?? NaN);
  if (!(power > across[0] && power < across[1])) return "";
  const x = to.x(power);
  const foot = to.box.bottom - 8;
  tags.add("V*", [[x + 5, foot, "start"], [x - 5, foot, "end"]], `fill="${GREEN}" font-weight="650"`);
  return `<path d="M${x.toFixed(1)} ${to.box.top}V${to.box.bottom}" stroke="${GREEN}" stroke-dasharray="2 3"/>`;
}
