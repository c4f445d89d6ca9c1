// Rank-1 by condition and view: the tables of CASIA-B's protocol, and every pair of views as a heat map.
import { percent } from "../../format.js";
import { heatScale, heatTable } from "../../heat.js";
import { between, number } from "../../rates.js";
import { h, table } from "../../ui.js";
import { part, rowsOf } from "./parts.js";

const whole = (share) => (100 * share).toFixed(0);
const tenth = (share) => (100 * share).toFixed(1);

export function gait(report, curves) {
  return [
    part("Rank-1 and rank-5", results(report)),
    byView(report.tables),
    heatMaps(rowsOf(curves.cells)),
    openSet(report.tables),
    simple(report.simple_features_rank1),
  ];
}

function results({ tables, mean_rank1: mean }) {
  return [table({
    caption: "Rank-1 and rank-5",
    hideCaption: true,
    columns: [
      { key: "name", label: "Probes", row: true },
      { label: "Rank-1 (95 %)", render: (one) => h("span", { class: "whole" }, between(one.rank1, one.interval_95)) },
      { label: "Rank-5", number: true, render: (one) => percent(one.rank5) },
      { label: "Sequences", number: true, render: (one) => number(one.probes) },
      { label: "People probing", number: true, render: (one) => number(one.people_probing) },
      { label: "People enrolled", number: true, render: (one) => number(one.people_in_gallery) },
    ],
    rows: tables,
  }), mean === null || mean === undefined ? null : h("p", { class: "small muted" }, `Mean of the tables' rank-1: ${percent(mean)}`)];
}

/** Each table's row by probe view, as the literature prints it. */
function byView(tables) {
  const views = [...new Set(tables.flatMap((one) => Object.keys(one.by_probe_view ?? {})))].sort();
  if (views.length < 2) return null;
  const values = tables.map((one) => [...views.map((view) => one.by_probe_view?.[view] ?? null), one.rank1]);
  const low = lowest(values.flat());
  return part("By probe view", h("div", { class: "panel stack tight" },
    heatTable({ caption: "Rank-1, %", about: "gallery at the other views", rows: tables.map((one) => one.name), columns: [...views, "mean"], values, low, format: tenth }),
    heatScale(low, 1, percent)));
}

/** One heat map a table: gallery views by probe views; identical views are left out by the protocol. */
function heatMaps(cells) {
  if (!cells.length) return null;
  const unique = (name) => [...new Set(cells.map((cell) => cell[name]))];
  const low = lowest(cells.map((cell) => Number(cell.rank1)));
  const maps = unique("table").map((name) => {
    const own = cells.filter((cell) => cell.table === name);
    const [rows, columns] = [sorted(own, "gallery_view"), sorted(own, "probe_view")];
    const found = new Map(own.map((cell) => [`${cell.gallery_view} ${cell.probe_view}`, Number(cell.rank1)]));
    const values = rows.map((row) => columns.map((column) => found.get(`${row} ${column}`) ?? null));
    return heatTable({ caption: name, about: "gallery ↓ probe →", rows, columns, values, low, format: whole });
  });
  return part("Every pair of views, rank-1 in %", h("div", { class: "panel stack" }, h("div", { class: "heat-maps" }, maps), heatScale(low, 1, percent)));
}

const sorted = (cells, name) => [...new Set(cells.map((cell) => cell[name]))].sort();

/** A round share below all of these, for the palest shade. */
const lowest = (shares) => Math.floor(10 * Math.min(...shares.filter((share) => share !== null && !Number.isNaN(share)), 0.9)) / 10;

function openSet(tables) {
  const rates = [...new Set(tables.flatMap((one) => Object.keys(one.open_set?.fnir_at_fpir ?? {})))].sort((a, b) => a - b);
  if (!rates.length) return null;
  return part("Among strangers: mates missed (FNIR) where so many strangers are let through (FPIR)", table({
    caption: "Open set",
    hideCaption: true,
    columns: [
      { key: "name", label: "Probes", row: true },
      ...rates.map((rate) => ({ label: `FPIR ${percent(Number(rate))}`, number: true, render: (one) => percent(one.open_set?.fnir_at_fpir?.[rate]) })),
      { label: "Enrolled", number: true, render: (one) => number(one.open_set?.subjects_enrolled) },
      { label: "Searches by strangers", number: true, render: (one) => number(one.open_set?.searches_by_strangers) },
    ],
    rows: tables,
  }));
}

/** What bones' lengths, or motion alone, already tell: an encoder that does no better has learned nothing. */
function simple(features) {
  if (!features) return null;
  const names = Object.keys(features);
  const probes = Object.keys(features[names[0]] ?? {});
  return part("What simple features reach, rank-1", table({
    caption: "Simple features",
    hideCaption: true,
    columns: [{ key: "name", label: "Features", row: true }, ...probes.map((probe) => ({ label: probe, number: true, render: ({ name }) => percent(features[name][probe]) }))],
    rows: names.map((name) => ({ name })),
  }));
}
