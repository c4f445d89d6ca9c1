// A calibration's figures: thresholds by size of gallery, errors by condition, and what they rest on.
import { day, percent, score } from "../format.js";
import { between, number } from "../rates.js";
import { button, h, table } from "../ui.js";

const RULE_OF_30 = 30;

/** Thresholds at each size and rate that the data support, as far as there are some; each with its misses. */
export function bySize({ table: rows }) {
  const rates = [...new Set(rows.map((row) => row.fpir))].sort((a, b) => a - b);
  const sizes = [...new Set(rows.map((row) => row.subjects))].sort((a, b) => a - b);
  const at = (size, rate) => rows.find((row) => row.subjects === size && row.fpir === rate);
  const cell = (row) => (row ? h("span", { class: "threshold-cell" }, score(row.threshold) + marks(row), h("small", {}, `misses ${percent(row.fnir)}`)) : "–");
  return h("section", { class: "stack tight" }, h("h2", {}, "Thresholds by size of gallery, and the rate they hold"),
    table({
      caption: "Thresholds by size of gallery",
      hideCaption: true,
      columns: [
        { key: "size", label: "Subjects", number: true, row: true, render: ({ size }) => number(size) },
        ...rates.map((rate) => ({ label: percent(rate), render: ({ size }) => cell(at(size, rate)) })),
      ],
      rows: sizes.map((size) => ({ size })),
    }),
    h("p", { class: "small muted" }, "* fewer than 30 false positives stand behind it (rule of 30). ~ from the fit of the tail. – too few people to show it (rule of 3)."));
}

const marks = (row) => (row.tail ? "~" : row.errors !== null && row.errors !== undefined && row.errors < RULE_OF_30 ? "*" : "");

/** Who passes and who is missed, by the values of labels. */
export function byCondition({ conditions = [], target_fpir: target }) {
  if (!conditions.length) return null;
  const name = `By label, at the threshold that holds ${percent(target)} over all`;
  return h("section", { class: "stack tight" }, h("h2", {}, name), table({
    caption: name,
    hideCaption: true,
    columns: [
      { label: "Label", row: true, render: ({ label, value }) => `${label} ${value}` },
      { key: "subjects", label: "People", number: true, render: ({ subjects }) => number(subjects) },
      { key: "searches", label: "Searches", number: true, render: ({ searches }) => number(searches) },
      { label: "FPIR", render: (row) => h("span", { class: "whole" }, between(row.fpir, row.fpir_between)) },
      { label: "FNIR", render: (row) => h("span", { class: "whole" }, between(row.fnir, row.fnir_between)) },
    ],
    rows: conditions,
  }));
}

/** What the calibration rests on, and what can be done about it. */
export function about(calibration, { measure, forget }) {
  const fact = (name, value) => (value === null ? null : [h("dt", {}, name), h("dd", {}, value)]);
  return h("section", { class: "panel stack" }, h("h2", {}, "This calibration"),
    calibration.made_on ? h("p", { class: "muted" }, `Measured on ${calibration.made_on}.`) : null,
    h("dl", { class: "facts" },
      fact("Held rate (FPIR)", percent(calibration.target_fpir)),
      fact("Made", calibration.created ? day(calibration.created) : "–"),
      fact("People", number(calibration.subjects)),
      fact("Searches by strangers", calibration.searches ? number(calibration.searches) : "–"),
      fact("Worth as independent ones", calibration.worth ? number(calibration.worth, 4) : "–"),
      fact("Smallest rate (rule of 3)", calibration.supported ? percent(calibration.supported) : "–"),
      fact("Templates a subject", number(calibration.templates_per_subject ?? 1)),
      calibration.min_margin ? fact("Smallest margin", score(calibration.min_margin)) : null,
      fact("Id", h("code", { class: "whole" }, calibration.id))),
    h("div", { class: "row" }, button(forget ? "Calibrate again" : "Calibrate", { class: forget ? "" : "first", onclick: measure }),
      forget ? button("Forget it", { class: "danger", onclick: forget }) : null));
}
