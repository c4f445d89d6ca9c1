// A chart of layers over two axes, as SVG: sharp at any size, coloured by the style sheet, printed as it is seen. The
// numbers behind it are in a table under it, for whoever does not see a picture.

import { h } from "./ui.js";

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { top: 28, right: 14, bottom: 40, left: 52 };

/**
 * title: what it is. about: what it shows, in a sentence, read out in place of the picture.
 * x, y: {scale, label, format, ticks}. layers, from the bottom up:
 *   {kind: "band", points: [[x, low, high]], tone}
 *   {kind: "line", points: [[x, y]], tone, label, note: (x, y) => text}
 *   {kind: "steps", start, width, values, tone, label}
 *   {kind: "rule", x, label}, {kind: "dot", x, y}
 * tone: 1 to 6, a series of the style sheet. table: {columns, rows} of texts. height: in pixels.
 *
 * Gives {node, change}: `change(layers)` draws others in their place.
 */
export function chart({ title, about, x, y, layers, table, height = 280 }) {
  const plot = h("div", { class: "chart-plot" });
  const readout = h("p", { class: "chart-readout", "aria-hidden": "true" });
  const node = h("figure", { class: "chart" }, caption(title, layers), plot, readout, table ? behind(title, table) : null);
  const state = { layers, width: 0, x, y, height, about, title };
  const draw = () => {
    if (state.width > 0) plot.replaceChildren(picture(state));
  };
  new ResizeObserver(([entry]) => {
    const width = Math.round(entry.contentRect.width);
    if (width === state.width) return;
    state.width = width;
    draw();
  }).observe(plot);
  follow(plot, readout, state);
  return {
    node,
    change(others, words = about) {
      Object.assign(state, { layers: others, about: words });
      draw();
    },
  };
}

/** The same numbers as a table that can be opened. */
export function behind(title, { columns, rows }) {
  const cell = (text, place) => (place ? h("td", {}, String(text)) : h("th", { scope: "row" }, String(text)));
  const found = h("table", { class: "table" }, h("caption", { class: "only-read" }, title),
    h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell)))));
  return h("details", { class: "chart-behind" }, h("summary", {}, "Numbers"),
    h("div", { class: "chart-numbers", tabindex: "0", role: "region", "aria-label": `${title}: numbers` }, found));
}

function caption(title, layers) {
  const keys = layers.filter((layer) => layer.label && layer.kind !== "rule");
  const legend = keys.length < 2 ? null : h("span", { class: "chart-legend" },
    keys.map(({ tone, label: text, kind }) => h("span", { class: `chart-key tone-${tone} key-${kind}` }, text)));
  return h("figcaption", {}, h("span", { class: "chart-title" }, title), legend);
}

function picture({ layers, width, height, x, y, about, title }) {
  const inner = { width: Math.max(width - MARGIN.left - MARGIN.right, 40), height: height - MARGIN.top - MARGIN.bottom };
  const at = {
    x: (value) => MARGIN.left + clip(x.scale.place(value)) * inner.width,
    y: (value) => MARGIN.top + (1 - clip(y.scale.place(value))) * inner.height,
  };
  const svg = drawn("svg", { role: "img", "aria-label": `${title}. ${about}`, width, height, viewBox: `0 0 ${width} ${height}` });
  svg.append(axis(at, inner, x, y, width));
  for (const layer of layers) svg.append(LAYERS[layer.kind](layer, at, inner));
  return svg;
}

const clip = (place) => Math.min(Math.max(place, 0), 1);

function axis(at, inner, x, y, width) {
  const group = drawn("g", { class: "chart-axes" });
  const floor = MARGIN.top + inner.height;
  const room = Math.max(2, Math.floor(inner.width / 70));
  for (const tick of thinned(x.ticks ?? x.scale.ticks(x.scale.low, x.scale.high, room), room)) {
    group.append(drawn("line", { class: "grid", x1: at.x(tick), x2: at.x(tick), y1: MARGIN.top, y2: floor }));
    group.append(label(at.x(tick), floor + 16, x.format(tick), "middle"));
  }
  const rows = Math.max(2, Math.floor(inner.height / 36));
  for (const tick of thinned(y.ticks ?? y.scale.ticks(y.scale.low, y.scale.high, rows), rows + 2)) {
    group.append(drawn("line", { class: "grid", x1: MARGIN.left, x2: MARGIN.left + inner.width, y1: at.y(tick), y2: at.y(tick) }));
    group.append(label(MARGIN.left - 7, at.y(tick) + 4, y.format(tick), "end"));
  }
  group.append(drawn("line", { class: "edge", x1: MARGIN.left, x2: MARGIN.left + inner.width, y1: floor, y2: floor }));
  group.append(label(MARGIN.left + inner.width, floor + 34, x.label, "end", "name"));
  if (y.label && width > 0) group.append(label(4, 14, y.label, "start", "name"));
  return group;
}

/** Every second, or third … of the ticks, where there is no room for all. */
function thinned(ticks, room) {
  const every = Math.ceil(ticks.length / Math.max(room, 1));
  return ticks.filter((_, place) => place % every === 0);
}

const LAYERS = {
  band({ points, tone }, at) {
    const upper = points.map(([x, , high]) => `${at.x(x)},${at.y(high)}`);
    const lower = points.map(([x, low]) => `${at.x(x)},${at.y(low)}`).reverse();
    return drawn("polygon", { class: `band tone-${tone}`, points: [...upper, ...lower].join(" ") });
  },
  line({ points, tone, dashed }, at) {
    const places = points.map(([x, y]) => `${at.x(x)},${at.y(y)}`).join(" ");
    return drawn("polyline", { class: `line tone-${tone}${dashed ? " dashed" : ""}`, points: places });
  },
  steps({ start, width, values, tone }, at) {
    const floor = at.y(0);
    const path = values.map((value, i) => `L${at.x(start + i * width)},${at.y(value)}L${at.x(start + (i + 1) * width)},${at.y(value)}`);
    const end = at.x(start + values.length * width);
    return drawn("path", { class: `steps tone-${tone}`, d: `M${at.x(start)},${floor}${path.join("")}L${end},${floor}Z` });
  },
  rule({ x, label: text }, at, inner) {
    const place = at.x(x);
    const group = drawn("g", { class: "rule" });
    group.append(drawn("line", { x1: place, x2: place, y1: MARGIN.top, y2: MARGIN.top + inner.height }));
    const right = place > MARGIN.left + inner.width * 0.7;
    if (text) group.append(label(place + (right ? -6 : 6), MARGIN.top + 12, text, right ? "end" : "start"));
    return group;
  },
  dot({ x, y }, at) {
    return drawn("circle", { class: "dot", cx: at.x(x), cy: at.y(y), r: 5 });
  },
};

/** Under the pointer: what the lines say there. */
function follow(plot, readout, state) {
  plot.addEventListener("pointermove", (event) => {
    const inner = state.width - MARGIN.left - MARGIN.right;
    const place = (event.clientX - plot.getBoundingClientRect().left - MARGIN.left) / inner;
    const wanted = state.x.scale.value(clip(place));
    const notes = state.layers.filter((layer) => layer.note).map((layer) => layer.note(...nearest(layer.points, wanted)));
    readout.textContent = notes.join("   ");
  });
  plot.addEventListener("pointerleave", () => {
    readout.textContent = "";
  });
}

function nearest(points, wanted) {
  return points.reduce((best, each) => (Math.abs(each[0] - wanted) < Math.abs(best[0] - wanted) ? each : best));
}

function label(x, y, text, anchor, kind = "tick") {
  const found = drawn("text", { class: kind, x, y, "text-anchor": anchor });
  found.textContent = text;
  return found;
}

function drawn(tag, attributes) {
  const found = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) found.setAttribute(name, value);
  return found;
}
