// Measurements over time, by uPlot: panels under one another share a cursor, and a new point costs no more than the last.
import uPlot from "../vendor/uplot/uPlot.esm.js";
import { CHANGED, colours } from "./theme.js";
import { h } from "./ui.js";

const KEPT = 600;
const LEAST_S = 60; // an axis of two seconds would make a cliff of a ripple
const together = uPlot.sync("history");

/**
 * One panel. series: [{name, label, tone: 1 … 6, fill?}]. format(value) → text of the axis and of the legend.
 *
 * Gives {node, add(seconds, {name: value or null}), end()}: `end` lets go of what follows the theme and the size.
 */
export function history({ title, about, series, format, height = 150 }) {
  const data = [[], ...series.map(() => [])];
  const holder = h("div", { class: "history-plot", role: "img", "aria-label": `${title}. ${about}` });
  const latest = h("p", { class: "only-read" });
  const node = h("figure", { class: "chart history" }, h("figcaption", {}, h("span", { class: "chart-title" }, title),
    h("span", { class: "chart-legend" }, series.map((each) => h("span", { class: `chart-key tone-${each.tone}` }, each.label)))), holder, latest);
  let plot = null;
  const draw = () => {
    plot?.destroy();
    plot = holder.clientWidth ? new uPlot(options({ series, format, height, width: holder.clientWidth }), data, holder) : null;
  };
  const watching = new ResizeObserver(() => {
    if (plot) plot.setSize({ width: holder.clientWidth, height });
    else draw();
  });
  watching.observe(holder);
  document.addEventListener(CHANGED, draw);
  return {
    node,
    add(seconds, values) {
      data[0].push(seconds);
      series.forEach(({ name }, place) => data[place + 1].push(values[name] ?? null));
      if (data[0].length > KEPT) data.forEach((column) => column.shift());
      plot?.setData(data);
      latest.textContent = series.map(({ name, label }) => `${label}: ${values[name] === null || values[name] === undefined ? "none" : format(values[name])}`).join(", ");
    },
    end() {
      watching.disconnect();
      document.removeEventListener(CHANGED, draw);
      plot?.destroy();
      plot = null;
    },
  };
}

function options({ series, format, height, width }) {
  const named = colours("line", "text-2", ...series.map(({ tone }) => `series-${tone}`));
  const axis = { stroke: named["text-2"], grid: { stroke: named.line, width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  return {
    width,
    height,
    legend: { show: false },
    cursor: { sync: { key: together.key }, y: false, points: { size: 7 } },
    padding: [8, 28, 0, 0],
    scales: { x: { range: ({ data: [times] }) => across(times) }, y: { range: (_, low, high) => [0, Math.max(high ?? 0, low ?? 0) * 1.15 || 1] } },
    axes: [{ ...axis, size: 28, space: 70, values: (_, ticks) => ticks.map(clock) }, { ...axis, size: 56, space: 32, values: (_, ticks) => ticks.map(format) }],
    series: [{}, ...series.map(({ label, tone, fill }) => ({
      label,
      stroke: named[`series-${tone}`],
      width: 2,
      points: { show: false },
      spanGaps: true,
      fill: fill ? named[`series-${tone}`].replace("rgb(", "rgba(").replace(")", ", 0.15)") : undefined,
    }))],
    hooks: { setCursor: [(plot) => said(plot, series, format)] },
  };
}

/** From the last look at least a minute back. What uPlot proposes for a single one is a whole day. */
function across(times) {
  const end = times.at(-1) ?? Date.now() / 1000;
  return [Math.min(times[0] ?? end, end - LEAST_S), end];
}

const two = (number) => String(number).padStart(2, "0");

function clock(seconds) {
  const at = new Date(seconds * 1000);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** What the series say under the pointer, in the place of a legend. */
function said(plot, series, format) {
  const { idx } = plot.cursor;
  const box = plot.root.parentElement;
  if (!box) return;
  const values = idx === null || idx === undefined ? [] : series.map(({ label }, place) => [label, plot.data[place + 1][idx]]);
  box.title = values.map(([label, value]) => `${label} ${value === null || value === undefined ? "–" : format(value)}`).join("\n");
}
