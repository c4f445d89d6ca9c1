import { api } from "../js/api.js";
import { day } from "../js/format.js";
import { actions } from "../js/keep/reports/actions.js";
import { gait } from "../js/keep/reports/gait.js";
import { openset } from "../js/keep/reports/openset.js";
import { heading, KINDS } from "../js/keep/reports/parts.js";
import { reid } from "../js/keep/reports/reid.js";
import { paperTables } from "../js/keep/reports/tables.js";
import { behind } from "../js/chart.js";
import { field, fill, h, note, nothing, select, table } from "../js/ui.js";

export const title = "Evaluation";

const VIEWS = { gait, openset, actions, reid, tables: paperTables };
const FOLDER = "Put what gaitkeeper evaluate and gaitkeeper reproduce leave (--out) into the folder of the setting reports, by default reports in the data directory.";

export async function mount(root, { params, controls, go }) {
  const reports = [];
  for await (const page of api.pages("/reports")) reports.push(...page.reports);
  if (!root.isConnected) return; // the head is another page's by now
  if (!reports.length) {
    fill(root, nothing("No stored reports", FOLDER));
    return;
  }
  const name = params.path[0];
  choice(reports, name, { controls, go });
  if (!name) {
    fill(root, overview(reports));
    return;
  }
  const { summary, report, curves } = await api.get(api.path`/reports/${name}`);
  const view = VIEWS[summary.kind] ?? plain;
  fill(root, h("div", { class: "stack wide" }, heading(summary, report), view(report, curves)));
}

function choice(reports, name, { controls, go }) {
  const options = [["", "All reports"], ...reports.map((each) => [each.name, each.name])];
  const made = select(options, { value: name ?? "", onchange: () => go(made.value ? `#/evaluation/${encodeURIComponent(made.value)}` : "#/evaluation") });
  controls.prepend(field("Report", made, { beside: true }));
}

function overview(reports) {
  return table({
    caption: "Stored reports",
    hideCaption: true,
    columns: [
      { label: "Report", row: true, render: ({ name }) => h("a", { href: `#/evaluation/${encodeURIComponent(name)}` }, name) },
      { label: "Of", render: ({ kind }) => KINDS[kind] ?? kind },
      { label: "Data", render: ({ data, simulated }) => [data ?? "–", simulated ? [" ", h("span", { class: "tag warn" }, "simulated")] : null] },
      { label: "Bundle", render: ({ bundle }) => bundle ?? "–" },
      { label: "Made", render: ({ date }) => h("span", { class: "whole" }, day(date)) },
    ],
    rows: reports,
  });
}

/** A report of a kind that this page does not know yet: its numbers as they are. */
function plain(report) {
  const rows = Object.entries(report).filter(([, value]) => ["number", "string", "boolean"].includes(typeof value));
  return [note("", "This kind of report has no view of its own here."), behind("Figures", { columns: ["Name", "Value"], rows })];
}
