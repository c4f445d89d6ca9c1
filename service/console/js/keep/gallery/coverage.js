// Which views and conditions are enrolled of whom: what is missing is where people will not be found.
import { percent } from "../../format.js";
import { heatScale, heatTable } from "../../heat.js";
import { field, fill, h, select } from "../../ui.js";

const VALUES = 40;
const ROWS = ["condition", "clothing", "session"];
const COLUMNS = ["view", "angle", "camera"];

/** missing(label, value, label, value) is called to show who lacks a cell. */
export function coveragePanel({ subjects, labels }, missing) {
  const names = [...labels.keys()].filter((label) => labels.get(label).length <= VALUES);
  const matrix = h("div", { class: "stack tight coverage" });
  if (!names.length) return h("section", { class: "panel stack" }, h("h2", {}, "Coverage"), h("p", { class: "muted" }, "No template has a label such as view or condition, so it cannot be told what is covered."));
  const first = (wanted, besides) => wanted.find((name) => names.includes(name) && name !== besides) ?? names.find((name) => name !== besides) ?? "";
  const across = select(names, { value: first(COLUMNS, null) });
  const down = select([["", "all together"], ...names.map((name) => [name, name])], { value: first(ROWS, across.value) });
  const draw = () => fill(matrix, coverage(subjects, labels, down.value, across.value, missing));
  for (const each of [across, down]) each.addEventListener("change", draw);
  draw();
  return h("section", { class: "panel stack" },
    h("div", { class: "row apart" }, h("h2", {}, "Coverage"), h("div", { class: "row" }, field("Down", down, { beside: true }), field("Across", across, { beside: true }))),
    matrix);
}

function coverage(subjects, labels, down, across, missing) {
  const rows = down && down !== across ? labels.get(down) : [""];
  const columns = labels.get(across);
  const has = (one, row, column) => one.enrolled.some(({ labels: own }) => own[across] === column && (!row || own[down] === row));
  const counts = rows.map((row) => columns.map((column) => subjects.filter((one) => has(one, row, column)).length));
  const values = counts.map((row) => row.map((number) => (number ? number / subjects.length : null)));
  const cell = (row, column) => {
    const lacking = subjects.length - counts[row][column];
    const what = `${rows[row] ? `${down} ${rows[row]}, ` : ""}${across} ${columns[column]}`;
    return { title: lacking ? `${what}: ${lacking} lack it` : `${what}: enrolled of everybody` };
  };
  const table = heatTable({
    caption: "Subjects with a template, %", about: down && down !== across ? `${down} ↓ ${across} →` : `${across} →`,
    rows: rows.map((row) => row || "all"), columns, values, format: (share) => (100 * share).toFixed(0), none: "0", cell,
  });
  const gaps = rows.flatMap((row, r) => columns.map((column, c) => ({ row, column, lacking: subjects.length - counts[r][c] })))
    .filter(({ lacking }) => lacking && lacking < subjects.length).sort((a, b) => b.lacking - a.lacking).slice(0, 4);
  const name = ({ row, column }) => [row ? `${down} ${row}` : null, `${across} ${column}`].filter(Boolean).join(", ");
  const show = (gap) => missing(name(gap), (one) => !has(one, gap.row, gap.column));
  return [table, heatScale(0, 1, percent), gaps.length ? h("p", { class: "row small" }, h("span", { class: "muted" }, "Most often missing:"),
    gaps.map((gap) => h("button", { type: "button", class: "link", onclick: () => show(gap) }, `${name(gap)} (${gap.lacking})`))) : null];
}
