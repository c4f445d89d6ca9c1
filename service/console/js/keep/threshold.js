// What a threshold would mean here: both errors, and what they come to in a day.
import { many, percent, score } from "../format.js";
import { between } from "../rates.js";
import { button, field, fill, h } from "../ui.js";

/** onpoint(point) is called with the point of the curve that is chosen, at first with that of the target rate. */
export function thresholdPanel(calibration, gallery, onpoint) {
  const { curve } = calibration;
  const slider = h("input", { type: "range", min: "0", max: String(curve.length - 1), step: "1", class: "wide-range" });
  const probes = h("input", { class: "input", type: "number", min: "1", max: "100000000", step: "1", value: "1000", inputmode: "numeric" });
  const strangers = h("input", { class: "input", type: "number", min: "0", max: "100", step: "1", value: "90", inputmode: "numeric" });
  const results = h("dl", { class: "figures" });
  const show = () => {
    const point = curve[Number(slider.value)];
    slider.setAttribute("aria-valuetext", `${score(point.threshold)}: ${percent(point.fpir)} of strangers let through, ${percent(point.fnir)} of mates missed`);
    fill(results, figures(point, daily(point, Number(probes.value) || 0, Math.min(Math.max(Number(strangers.value) || 0, 0), 100) / 100)));
    onpoint(point);
  };
  const choose = (place) => {
    slider.value = String(place);
    show();
  };
  for (const input of [slider, probes, strangers]) input.addEventListener("input", show);
  choose(nearest(curve, calibration.target_fpir));
  return h("section", { class: "panel stack threshold", "aria-label": "What a threshold means" },
    h("div", { class: "row apart" }, h("h2", {}, "What if the threshold were"), presets(calibration, choose)),
    among(calibration, gallery), field("Threshold", slider), results,
    h("div", { class: "row" }, field("Probes a day", probes), field("of them strangers, %", strangers)));
}

/** Whom the curve is about, and what this gallery is held to at its own size. */
function among(calibration, gallery) {
  const most = Math.max(...calibration.table.map((row) => row.subjects));
  const held = heldAt(calibration, gallery);
  return h("p", { class: "small muted" }, `Both errors are among ${many(most, "subject")}, the most that were measured. `,
    held === null ? null : [`This gallery has ${many(gallery.subjects, "subject")}: for ${percent(calibration.target_fpir)} its answers are held to `, h("b", { class: "held" }, score(held)), "."]);
}

/** The threshold that answers of a gallery are held to, as the service finds it (`Thresholds` in
 * gallery/calibration_table.py): linear over the logarithm of the size between those measured, never lower in a larger
 * gallery; beyond them each further subject is one more chance of a false match. null where the tail would decide. */
export function heldAt({ table, target_fpir: target, templates_per_subject: each = 1 }, { subjects, templates }) {
  const size = Math.max(subjects, Math.ceil(templates / each - 1e-9), 1);
  const rows = table.filter((row) => row.fpir === target).sort((a, b) => a.subjects - b.subjects);
  const place = rows.findIndex((row) => row.subjects >= size);
  if (place < 0) return beyond(table, size, target);
  const rising = rows.map((_, end) => Math.max(...rows.slice(0, end + 1).map((row) => row.threshold)));
  if (place === 0 || rows[place].subjects === size) return rising[place];
  const [low, high] = [rows[place - 1].subjects, rows[place].subjects].map(Math.log);
  return rising[place - 1] + (rising[place] - rising[place - 1]) * (Math.log(size) - low) / (high - low);
}

function beyond(table, size, target) {
  const largest = Math.max(...table.map((row) => row.subjects));
  const rate = -Math.expm1(Math.log1p(-target) * largest / size);
  const rows = table.filter((row) => row.subjects === largest).sort((a, b) => a.fpir - b.fpir);
  const above = rows.findIndex((row) => row.fpir >= rate);
  if (above < 1) return null;
  const falling = rows.map((_, start) => Math.max(...rows.slice(start).map((row) => row.threshold)));
  const [low, high] = [rows[above - 1].fpir, rows[above].fpir].map(Math.log);
  return falling[above - 1] + (falling[above] - falling[above - 1]) * (Math.log(rate) - low) / (high - low);
}

/** The rates of the table among the most subjects; the one that answers are held to is marked. */
function presets({ table, curve, target_fpir: target }, choose) {
  const most = Math.max(...table.map((row) => row.subjects));
  const rates = table.filter((row) => row.subjects === most).map((row) => row.fpir).sort((a, b) => a - b);
  return h("div", { class: "row", role: "group", "aria-label": "Rates that were calibrated" }, rates.map((rate) =>
    button(`${percent(rate)}${rate === target ? " (held now)" : ""}`, { onclick: () => choose(nearest(curve, rate)) })));
}

const nearest = (curve, rate) => curve.reduce((best, point, place) =>
  (Math.abs(point.fpir - rate) < Math.abs(curve[best].fpir - rate) ? place : best), 0);

/** What a day of `probes`, of which the share `strangers` is not enrolled, comes to at one point of the curve. */
export function daily(point, probes, strangers) {
  const [unknown, known] = [probes * strangers, probes * (1 - strangers)];
  const alarms = unknown * point.fpir;
  const found = point.fnir === null || point.fnir === undefined ? null : known * (1 - point.fnir);
  return {
    alarms,
    alarmsBetween: point.fpir_between?.map((end) => unknown * end),
    missed: found === null ? null : known - found,
    right: found === null || found + alarms === 0 ? null : found / (found + alarms),
  };
}

function figures(point, day) {
  const entry = (name, value, more, strong = false) =>
    h("div", { class: strong ? "figure strong" : "figure" }, h("dt", {}, name), h("dd", {}, h("b", {}, value), more ? h("small", {}, more) : null));
  const interval = (text) => /\((.*)\)/.exec(text)?.[1] ?? "";
  return [
    entry("Threshold", score(point.threshold)),
    entry("Strangers let through (FPIR)", percent(point.fpir), interval(between(point.fpir, point.fpir_between))),
    entry("Mates missed (FNIR)", percent(point.fnir), interval(between(point.fnir, point.fnir_between))),
    entry("False alarms a day", amount(day.alarms), day.alarmsBetween ? `${amount(day.alarmsBetween[0])} to ${amount(day.alarmsBetween[1])}` : "", true),
    entry("Mates missed a day", amount(day.missed)),
    entry("Alarms that are right", percent(day.right)),
  ];
}

const amount = (value) => (value === null ? "–" : value < 10 ? String(Number(value.toFixed(1))) : Math.round(value).toLocaleString("en"));
