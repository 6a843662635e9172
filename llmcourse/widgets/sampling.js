// The sampling explorer: what temperature, top-k, top-p and min-p do to a model's next-token distribution.
// It imports nothing, so that the same source runs in JupyterLab and, as a classic script, in a page from a disk.

const REMOVED = -Infinity;
const MOST_K = 50; // the last notch of the top-k slider: keep all
const ROWS = 12;
const OFF = { temperature: 1, top_k: 0, top_p: 1, min_p: 0 };

// ---- the mathematics: the same steps as llmcourse.decoding ----

function softmax(logits) {
  const top = logits.reduce((most, x) => Math.max(most, x), REMOVED);
  const powers = logits.map((x) => Math.exp(x - top));
  const total = powers.reduce((sum, x) => sum + x, 0);
  return powers.map((x) => x / total);
}

function ranked(values) {
  // of equals, the smaller id comes first; two removed ones differ by NaN, which is falsy
  return values.map((_, id) => id).sort((a, b) => values[b] - values[a] || a - b);
}

function temperature(logits, t) {
  return t === 0 ? topK(logits, 1) : logits.map((x) => x / t);
}

function topK(logits, k) {
  const kept = new Set(ranked(logits).slice(0, k));
  return logits.map((x, id) => (kept.has(id) ? x : REMOVED));
}

function topP(logits, p) {
  const probs = softmax(logits);
  const kept = new Set();
  let massBefore = 0;
  for (const id of ranked(logits)) {
    if (massBefore >= p) break; // the token that crosses p stays
    kept.add(id);
    massBefore += probs[id];
  }
  return logits.map((x, id) => (kept.has(id) ? x : REMOVED));
}

function minP(logits, p) {
  const probs = softmax(logits);
  const bar = p * probs.reduce((most, x) => Math.max(most, x), 0);
  return logits.map((x, id) => (probs[id] < bar ? REMOVED : x));
}

function transform(logits, settings) {
  let out = temperature(logits, settings.temperature);
  if (settings.top_k > 0) out = topK(out, settings.top_k);
  if (settings.top_p < 1) out = topP(out, settings.top_p);
  if (settings.min_p > 0) out = minP(out, settings.min_p);
  return out;
}

function entropy(probs) {
  return probs.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
}

function divergence(truth, probs) {
  return truth.reduce((sum, t, id) => (t > 0 ? sum + t * Math.log(t / probs[id]) : sum), 0);
}

function measure(logits, truth, settings) {
  const heated = softmax(temperature(logits, settings.temperature));
  const probs = softmax(transform(logits, settings));
  return {
    probs,
    entropy: entropy(probs),
    n_kept: probs.filter((p) => p > 0).length,
    kept_mass: probs.reduce((sum, p, id) => (p > 0 ? sum + heated[id] : sum), 0),
    true_entropy: truth && entropy(truth),
    divergence: truth && divergence(truth, probs),
    true_mass_cut: truth && truth.reduce((sum, t, id) => (probs[id] > 0 ? sum : sum + t), 0),
    impossible_mass: truth && probs.reduce((sum, p, id) => (truth[id] > 0 ? sum : sum + p), 0),
  };
}

function randomNumbers(seed) {
  // mulberry32, by Tommy Ettinger (public domain): small, seeded, even enough to draw tokens with
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function draw(probs, random) {
  let left = random();
  let last = 0;
  for (let id = 0; id < probs.length; id += 1) {
    if (probs[id] === 0) continue;
    last = id;
    left -= probs[id];
    if (left < 0) return id;
  }
  return last; // rounding may leave a crumb of mass at the end
}

// ---- the page ----

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function button(text, act) {
  const made = element("button", "llmc-button", text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

function keepKeys(root) {
  // or JupyterLab takes the arrow keys for itself; it looks for this on the very element that has the focus
  for (const control of root.querySelectorAll("button, input, select")) control.dataset.lmSuppressShortcuts = "true";
}

function shown(token) {
  const hex = (letter) => `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`;
  return token.replaceAll(" ", "·").replaceAll("\n", "↵").replace(/[\x00-\x1f\x7f]/g, hex) || "∅";
}

function inNats(value) {
  return Number.isFinite(value) ? `${value.toFixed(3)} nats` : "∞";
}

const SLIDERS = [
  { name: "temperature", label: "Temperature", min: 0, max: 2, step: 0.05, show: (v) => (v === 0 ? "0 (greedy)" : v.toFixed(2)) },
  { name: "top_k", label: "Top-k", min: 1, max: MOST_K, step: 1, show: (v) => (v === 0 ? "all" : String(v)) },
  { name: "top_p", label: "Top-p", min: 0.05, max: 1, step: 0.05, show: (v) => (v === 1 ? "1 (all)" : v.toFixed(2)) },
  { name: "min_p", label: "Min-p", min: 0, max: 0.5, step: 0.01, show: (v) => (v === 0 ? "0 (all)" : v.toFixed(2)) },
];

function makeSlider(model, spec) {
  const label = element("label", "llmc-slider");
  const head = element("span", "llmc-slider-head");
  const value = element("span", "llmc-value");
  value.setAttribute("aria-hidden", "true"); // the slider says it itself, as aria-valuetext
  const input = element("input");
  Object.assign(input, { type: "range", min: spec.min, max: spec.max, step: spec.step, name: spec.name });
  input.setAttribute("aria-label", spec.label);
  head.append(element("span", "", spec.label), value);
  label.append(head, input);
  input.addEventListener("input", () => {
    const number = Number(input.value);
    model.set(spec.name, spec.name === "top_k" && number === MOST_K ? 0 : number);
    model.save_changes();
  });
  const refresh = () => {
    const number = model.get(spec.name);
    input.value = spec.name === "top_k" && number === 0 ? MOST_K : number;
    value.textContent = spec.show(number);
    input.setAttribute("aria-valuetext", value.textContent);
  };
  return { label, refresh };
}

function dense(sparse, size) {
  if (!sparse) return null;
  const full = new Array(size).fill(0);
  for (const [id, p] of Object.entries(sparse)) full[Number(id)] = p;
  return full;
}

function makeBars() {
  const table = element("table", "llmc-bars");
  const head = table.createTHead().insertRow();
  const body = table.createTBody();
  const fill = (rows, scale, hasTruth) => {
    head.replaceChildren(
      ...["token", `0 to ${scale.toFixed(1)}`, "model", ...(hasTruth ? ["truth"] : [])].map((name) => {
        const cell = element("th", "", name);
        cell.scope = "col";
        return cell;
      }),
    );
    body.replaceChildren(...rows.map((row) => makeRow(row, scale, hasTruth)));
  };
  return { table, fill };
}

function makeRow(row, scale, hasTruth) {
  const made = element("tr", row.cut ? "llmc-cut" : "");
  const name = element("th", "llmc-token", row.name);
  name.scope = "row";
  if (row.cut) name.append(element("span", "llmc-hidden", " (cut)"));
  const track = element("div", "llmc-track");
  const place = (className, value) => {
    const mark = element("span", className);
    const share = `${Math.min(100, (100 * value) / scale)}%`;
    if (className === "llmc-truth" || className === "llmc-drawn") mark.style.left = share;
    else mark.style.width = share;
    track.append(mark);
  };
  place("llmc-before", row.before);
  place("llmc-after", row.after);
  if (row.drawn !== null) place("llmc-drawn", row.drawn);
  if (hasTruth && row.truth > 0) place("llmc-truth", row.truth);
  const cell = element("td", "llmc-track-cell");
  cell.setAttribute("aria-hidden", "true");
  cell.append(track);
  made.append(name, cell, element("td", "llmc-number", row.after.toFixed(3)));
  if (hasTruth) made.append(element("td", "llmc-number", row.truth.toFixed(3)));
  return made;
}

function barRows(tokens, before, measured, truth, counts, nDrawn) {
  const peak = before.map((p, id) => Math.max(p, truth ? truth[id] : 0));
  const top = ranked(peak).slice(0, ROWS);
  const make = (name, ids, cut) => {
    const sum = (values) => ids.reduce((total, id) => total + (values[id] || 0), 0);
    const drawn = nDrawn ? sum(counts) / nDrawn : null;
    return { name, cut, before: sum(before), after: sum(measured.probs), truth: truth ? sum(truth) : 0, drawn };
  };
  const rows = top.map((id) => make(shown(tokens[id]), [id], measured.probs[id] === 0));
  const chosen = new Set(top);
  const others = before.map((_, id) => id).filter((id) => !chosen.has(id));
  if (others.length) rows.push(make(`${others.length} others`, others, false));
  return rows;
}

function measureList(measured) {
  const list = element("dl", "llmc-measures");
  const add = (term, value, help) => {
    const pair = element("div");
    pair.title = help;
    pair.append(element("dt", "", term), element("dd", "", value));
    list.append(pair);
  };
  const percent = (value) => `${(100 * value).toFixed(1)} %`;
  add("tokens kept", String(measured.n_kept), "tokens that can still be drawn");
  add("mass kept", percent(measured.kept_mass), "the model's probability that was not cut, at this temperature");
  if (measured.divergence === null) {
    add("entropy", inNats(measured.entropy), "of the distribution that tokens are drawn from");
    return list;
  }
  const entropies = `${measured.entropy.toFixed(3)} / ${inNats(measured.true_entropy)}`;
  add("true mass cut", percent(measured.true_mass_cut), "how often the world says a token that can no longer be drawn");
  add("entropy: model / truth", entropies, "of the distribution that tokens are drawn from, and of the world's own");
  add("KL from truth", inNats(measured.divergence), "infinite once a token that can come next has been cut");
  add("mass on the impossible", percent(measured.impossible_mass), "on tokens that cannot come next in this world");
  return list;
}

function render({ model, el }) {
  const tokens = model.get("tokens");
  let counts = {};
  let history = [];
  let random = randomNumbers(model.get("seed"));

  const root = element("div", "llmc-root llmc-sampling");
  const picker = element("label", "llmc-picker", "Text so far ");
  const select = element("select");
  model.get("steps").forEach((step, i) => {
    const words = step.context.split(" ");
    const name = words.length > 7 ? `… ${words.slice(-7).join(" ")}` : step.context || "(the beginning)";
    const option = element("option", "", `${i + 1}. ${name}`);
    option.value = i;
    select.append(option);
  });
  picker.append(select);
  const context = element("p", "llmc-context");
  const sliders = SLIDERS.map((spec) => makeSlider(model, spec));
  const controls = element("div", "llmc-controls");
  controls.append(...sliders.map((slider) => slider.label));
  const bars = makeBars();
  const key = element("p", "llmc-key");
  const status = element("div", "llmc-status");
  status.setAttribute("role", "status");
  const drawn = element("p", "llmc-history");

  function settings() {
    return Object.fromEntries(SLIDERS.map(({ name }) => [name, model.get(name)]));
  }

  function current() {
    const step = model.get("steps")[model.get("step")];
    const truth = dense(step.truth, tokens.length);
    return { step, truth, measured: measure(step.logits, truth, settings()) };
  }

  function refresh() {
    const { step, truth, measured } = current();
    const before = softmax(step.logits);
    select.value = model.get("step");
    context.replaceChildren(element("span", "", step.context || "(the beginning) "), element("span", "llmc-caret", " ▁"));
    sliders.forEach((slider) => slider.refresh());
    const rows = barRows(tokens, before, measured, truth, counts, history.length);
    const most = Math.max(...rows.map((row) => Math.max(row.before, row.after, row.truth, row.drawn || 0)));
    bars.fill(rows, Math.max(0.1, Math.ceil(most * 10 - 1e-9) / 10), truth !== null);
    const keys = [["llmc-after", "model, after the cuts"], ["llmc-before", "model, untouched"]];
    if (truth) keys.push(["llmc-truth", "truth"]);
    if (history.length) keys.push(["llmc-drawn", "share of your draws"]);
    key.replaceChildren(...keys.map(([className, name]) => keyEntry(className, name)));
    status.replaceChildren(measureList(measured));
    const latest = history.slice(-24).map((id) => element("span", "llmc-chip", shown(tokens[id])));
    drawn.replaceChildren(element("span", "", history.length ? `${history.length} drawn, the latest: ` : ""), ...latest);
  }

  function keyEntry(className, name) {
    const entry = element("span", "llmc-key-entry");
    const swatch = element("span", "llmc-swatch");
    swatch.append(element("span", className));
    entry.append(swatch, element("span", "", name));
    return entry;
  }

  function drawSome(count) {
    const { probs } = current().measured;
    for (let i = 0; i < count; i += 1) {
      const id = draw(probs, random);
      counts[id] = (counts[id] || 0) + 1;
      history.push(id);
    }
    refresh();
  }

  function forget() {
    counts = {};
    history = [];
    random = randomNumbers(model.get("seed"));
    refresh();
  }

  function go(step) {
    const n = model.get("steps").length;
    model.set("step", (step + n) % n);
    model.save_changes();
  }

  select.addEventListener("change", () => go(Number(select.value)));
  const walk = element("div", "llmc-walk");
  walk.append(picker);
  if (model.get("steps").length > 1) {
    walk.append(button("Previous", () => go(model.get("step") - 1)), button("Next", () => go(model.get("step") + 1)));
  }
  const buttons = element("div", "llmc-buttons");
  buttons.append(
    button("Draw 1", () => drawSome(1)),
    button("Draw 100", () => drawSome(100)),
    button("Clear draws", forget),
    button("Undo all cuts", () => {
      Object.entries(OFF).forEach(([name, value]) => model.set(name, value));
      model.save_changes();
    }),
  );
  root.append(walk, context, controls, bars.table, key, status, buttons, drawn);
  keepKeys(root);
  el.append(root);

  const watched = [...SLIDERS.map(({ name }) => name), "step", "seed"].map((name) => `change:${name}`);
  watched.forEach((name) => model.on(name, forget)); // draws from other settings would tell nothing
  refresh();
  return () => watched.forEach((name) => model.off(name, forget));
}

export default { render, transform, softmax, measure, randomNumbers, draw };
