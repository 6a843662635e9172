// The attention explorer: for each head of a model, which tokens each token reads.
// It imports nothing, so that the same source runs in JupyterLab and, as a classic script, in a page from a disk.

const SHADE = [31, 111, 181]; // drawn see-through, so that it reads on white and on near-black paper
const FULL = 255;

// ---- the numbers ----

function unpack(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function headOf(weights, size, nHeads, layer, head) {
  const start = (layer * nHeads + head) * size * size;
  return weights.subarray(start, start + size * size);
}

function readsMost(grid, size, row, count) {
  const weights = Array.from(grid.subarray(row * size, (row + 1) * size));
  const order = weights.map((_, i) => i).sort((a, b) => weights[b] - weights[a] || a - b);
  return order.slice(0, count).filter((i) => weights[i] > 0).map((i) => ({ token: i, weight: weights[i] / FULL }));
}

// ---- the page ----

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
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

function percent(weight) {
  return `${Math.round(100 * weight)} %`;
}

function paint(canvas, grid, size) {
  canvas.width = size;
  canvas.height = size;
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(size, size);
  for (let i = 0; i < grid.length; i += 1) image.data.set([...SHADE, grid[i]], 4 * i);
  pen.putImageData(image, 0, 0);
}

function makeOverview(model, weights, size, choose) {
  const nLayers = model.get("n_layers");
  const nHeads = model.get("n_heads");
  const overview = element("div", "llmc-overview");
  overview.setAttribute("role", "group");
  overview.setAttribute("aria-label", "All heads: choose one");
  overview.style.setProperty("--llmc-heads", nHeads);
  const buttons = [];
  for (let layer = 0; layer < nLayers; layer += 1) {
    overview.append(element("span", "llmc-layer-name", `layer ${layer}`));
    for (let head = 0; head < nHeads; head += 1) {
      const made = element("button", "llmc-head");
      made.type = "button";
      made.setAttribute("aria-label", `Layer ${layer}, head ${head}`);
      const canvas = element("canvas");
      paint(canvas, headOf(weights, size, nHeads, layer, head), size);
      made.append(canvas);
      made.addEventListener("click", () => choose({ layer, head }));
      buttons.push({ made, layer, head });
      overview.append(made);
    }
  }
  const refresh = (layer, head) =>
    buttons.forEach((b) => b.made.setAttribute("aria-pressed", String(b.layer === layer && b.head === head)));
  return { overview, refresh };
}

function makeStrip(tokens, choose) {
  const strip = element("div", "llmc-strip");
  strip.setAttribute("role", "group");
  strip.setAttribute("aria-label", "The text: point at a token, or use the arrow keys");
  const buttons = tokens.map((token, i) => {
    const made = element("button", "llmc-token", shown(token));
    made.type = "button";
    made.addEventListener("mouseenter", () => choose({ token: i }));
    made.addEventListener("focus", () => choose({ token: i }));
    made.addEventListener("click", () => choose({ token: i }));
    return made;
  });
  const moves = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -tokens.length, End: tokens.length };
  strip.addEventListener("keydown", (event) => {
    const from = buttons.indexOf(event.target);
    if (from < 0 || !(event.key in moves)) return;
    event.preventDefault();
    buttons[Math.min(tokens.length - 1, Math.max(0, from + moves[event.key]))].focus();
  });
  strip.append(...buttons);
  const refresh = (grid, row) =>
    buttons.forEach((made, i) => {
      const weight = grid[row * tokens.length + i] / FULL;
      made.style.setProperty("--llmc-weight", weight.toFixed(3));
      made.classList.toggle("llmc-strong", weight > 0.72);
      made.classList.toggle("llmc-reader", i === row);
      made.tabIndex = i === row ? 0 : -1; // one stop for the tab key, arrows move inside
      made.setAttribute("aria-pressed", String(i === row));
    });
  return { strip, refresh };
}

function makeGrid(size, choose) {
  const frame = element("div", "llmc-grid");
  const canvas = element("canvas");
  const row = element("span", "llmc-row");
  const cell = (event) => {
    const box = canvas.getBoundingClientRect();
    return Math.min(size - 1, Math.max(0, Math.floor(((event.clientY - box.top) / box.height) * size)));
  };
  canvas.addEventListener("mousemove", (event) => choose({ token: cell(event) }));
  canvas.addEventListener("click", (event) => choose({ token: cell(event) }));
  frame.setAttribute("aria-hidden", "true"); // the strip and the list below say the same in words
  const picture = element("div", "llmc-grid-picture");
  picture.append(canvas, row);
  frame.append(element("span", "llmc-grid-name", "↓ reads, → is read"), picture);
  const refresh = (grid, token) => {
    paint(canvas, grid, size);
    row.style.top = `${(100 * token) / size}%`;
    row.style.height = `${100 / size}%`;
  };
  return { frame, refresh };
}

function makeReadout(tokens) {
  const readout = element("div", "llmc-readout");
  readout.setAttribute("role", "status");
  const refresh = (grid, row, layer, head) => {
    const title = element("p", "llmc-readout-title");
    title.append(
      element("span", "", `Layer ${layer}, head ${head}: `),
      element("b", "", shown(tokens[row])),
      element("span", "", " reads"),
    );
    const list = element("ol", "llmc-reads");
    for (const { token, weight } of readsMost(grid, tokens.length, row, 5)) {
      const entry = element("li");
      const bar = element("span", "llmc-read-bar");
      bar.style.width = `${100 * weight}%`;
      const track = element("span", "llmc-track");
      track.append(bar);
      const back = row - token;
      const where = back === 0 ? "itself" : `${back > 0 ? back : -back} ${back > 0 ? "back" : "ahead"}`;
      entry.append(
        element("span", "llmc-read-token", shown(tokens[token])),
        element("span", "llmc-read-where", where),
        track,
        element("span", "llmc-number", percent(weight)),
      );
      list.append(entry);
    }
    readout.replaceChildren(title, list);
  };
  return { readout, refresh };
}

function render({ model, el }) {
  const tokens = model.get("tokens");
  const size = tokens.length;
  const weights = unpack(model.get("weights"));

  function choose(changes) {
    const news = Object.entries(changes).filter(([name, value]) => model.get(name) !== value);
    news.forEach(([name, value]) => model.set(name, value));
    if (news.length) model.save_changes();
  }

  const root = element("div", "llmc-root llmc-attention");
  const { overview, refresh: refreshOverview } = makeOverview(model, weights, size, choose);
  const { strip, refresh: refreshStrip } = makeStrip(tokens, choose);
  const { frame, refresh: refreshGrid } = makeGrid(size, choose);
  const { readout, refresh: refreshReadout } = makeReadout(tokens);
  const columns = element("div", "llmc-columns");
  columns.append(overview, frame, readout);
  root.append(strip, columns);
  keepKeys(root);
  el.append(root);

  function refresh() {
    const [layer, head, token] = ["layer", "head", "token"].map((name) => model.get(name));
    const grid = headOf(weights, size, model.get("n_heads"), layer, head);
    refreshOverview(layer, head);
    refreshStrip(grid, token);
    refreshGrid(grid, token);
    refreshReadout(grid, token, layer, head);
  }

  const watched = ["change:layer", "change:head", "change:token"];
  watched.forEach((name) => model.on(name, refresh));
  refresh();
  return () => watched.forEach((name) => model.off(name, refresh));
}

export default { render, unpack, headOf, readsMost };
