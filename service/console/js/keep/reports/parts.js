// What views of reports have in common.
import { moment } from "../../format.js";
import { between, number } from "../../rates.js";
import { h } from "../../ui.js";

export const KINDS = {
  gait: "identification by gait", openset: "open-set identification", actions: "actions", reid: "re-identification", tables: "the paper's tables",
};

/** What was measured, on what, by which command. */
export function heading(summary, report) {
  const fact = (name, value) => (value === null || value === undefined ? null : [h("dt", {}, name), h("dd", {}, value)]);
  const people = report.people === undefined ? null : number(report.people);
  if (!report.command) return null; // its tables carry its title
  const sequences = report.sequences?.counted ?? (typeof report.sequences === "number" ? report.sequences : report.embeddings);
  return h("section", { class: "panel stack" },
    h("div", { class: "row" }, h("h2", {}, summary.title), summary.simulated ? h("span", { class: "tag warn" }, "simulated people") : null),
    h("dl", { class: "facts spread" }, fact("Bundle", summary.bundle), fact("Data", summary.data), fact("People", people),
      fact("Sequences", sequences === undefined ? null : number(sequences)), fact("Made", summary.date ? moment(summary.date) : null)),
    h("p", { class: "command" }, h("code", {}, report.command)));
}

/** A part of a report under its name. */
export const part = (title, ...content) => h("section", { class: "stack tight" }, h("h2", {}, title), content);

/** A rate as reports have it: {rate, interval_95, rule_of_30}, or why it was refused. */
export function rate(found) {
  if (!found) return "–";
  if (found.refused) return h("span", { class: "muted", title: found.refused }, "too few");
  return h("span", { class: "whole" }, between(found.rate, found.interval_95), found.rule_of_30 === false ? "*" : "");
}

export const FEW = "* fewer than 30 errors stand behind it (rule of 30). “Too few”: no rate can be shown (rule of 3).";

/** Rows of a curve as objects of texts. */
export function rowsOf(curve) {
  if (!curve) return [];
  return curve.rows.map((row) => Object.fromEntries(curve.columns.map((name, place) => [name, row[place]])));
}
