// Tables of the paper beside ours: a mean and its spread over seeds, and what may be concluded.
import { number } from "../../rates.js";
import { h, note, table } from "../../ui.js";
import { part } from "./parts.js";

export function paperTables(report) {
  return [
    report.tables.map(one),
    report.remark ? note("", h("strong", {}, "The paper's side. "), report.remark) : null,
    h("p", { class: "small muted" }, `${number(report.runs.length)} runs stand behind it.`),
  ];
}

function one({ title, columns, rows, conclusion = [], comparable }) {
  const columnsOf = columns.flatMap((name, place) => [
    { label: `${name}: paper`, number: true, render: (row) => number(row.paper?.[place]) },
    { label: `${name}: ours`, number: true, render: (row) => ours(row.ours?.[place]) },
  ]);
  return part(title, comparable === false ? h("p", { class: "small muted" }, "Ours are of other data than the paper's: the rows can be compared among themselves, not across.") : null,
    table({ caption: title, hideCaption: true, columns: [{ label: "", row: true, render: (row) => [row.name, row.publication ? h("span", { class: "muted" }, ` ${row.publication}`) : null] }, ...columnsOf], rows }),
    conclusion.length ? h("ul", { class: "conclusions" }, conclusion.map((line) => h("li", {}, line))) : null);
}

function ours(found) {
  if (!found || found.mean === null || found.mean === undefined) return "–";
  const seeds = Object.values(found.values ?? {}).map((value) => number(value, 4)).join(", ");
  return h("span", { class: "whole", title: seeds }, number(found.mean), found.sd === null || found.sd === undefined ? null : h("small", { class: "muted" }, ` ± ${number(found.sd, 2)}`), (found.marks ?? []).join(""));
}
