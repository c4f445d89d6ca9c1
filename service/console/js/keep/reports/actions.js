// What was done, and what it was taken for.
import { percent } from "../../format.js";
import { heatScale, heatTable } from "../../heat.js";
import { between, number } from "../../rates.js";
import { h, table } from "../../ui.js";
import { part } from "./parts.js";

export function actions(report) {
  return [figures(report), confusion(report.confusion), classes(report.classes)];
}

function figures(report) {
  const figure = (name, value, more) => h("div", { class: "figure" }, h("dt", {}, name), h("dd", {}, h("b", {}, value), more ? h("small", {}, more) : null));
  const interval = /\((.*)\)/.exec(between(report.accuracy, report.interval_95))?.[1];
  return h("section", { class: "panel", "aria-label": "Accuracy" }, h("dl", { class: "figures" },
    figure("Accuracy", percent(report.accuracy), interval),
    figure("Mean of the classes'", percent(report.mean_class_accuracy)),
    figure("Sequences", number(report.sequences)),
    figure("Classes", number(Object.keys(report.classes ?? {}).length))));
}

/** Shares of each row; columns go by number, so that long names stand once. */
function confusion(found) {
  if (!found?.labels?.length) return null;
  const rows = found.labels.map((name, place) => `${name} ${place + 1}`);
  const sums = found.counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  const values = found.counts.map((row, place) => row.map((count) => (sums[place] && count ? count / sums[place] : null)));
  const title = (row, column) => ({ title: `${found.labels[row]} taken for ${found.labels[column]}: ${found.counts[row][column]} of ${sums[row]}` });
  return part("Confusion", h("div", { class: "panel stack tight" }, heatTable({
    caption: "Share of each action in %", about: "done ↓ taken for →", rows, columns: found.labels.map((_, place) => String(place + 1)), values,
    format: (share) => (100 * share).toFixed(0), none: "·", cell: title,
  }), heatScale(0, 1, percent)));
}

function classes(found) {
  if (!found) return null;
  return part("By action", table({
    caption: "By action",
    hideCaption: true,
    columns: [
      { key: "name", label: "Action", row: true },
      { label: "Accuracy", number: true, render: (one) => percent(one.accuracy) },
      { label: "Sequences", number: true, render: (one) => number(one.sequences) },
      { label: "People", number: true, render: (one) => number(one.people) },
    ],
    rows: Object.entries(found).map(([name, one]) => ({ name, ...one })).sort((a, b) => a.accuracy - b.accuracy),
  }));
}
