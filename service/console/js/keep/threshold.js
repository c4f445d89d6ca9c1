// What a threshold would mean here: both errors, and what they come to in a day.
import { percent, score } from "../format.js";
import { between } from "../rates.js";
import { button, field, fill, h } from "../ui.js";

/** onpoint(point) is called with the point of the curve that is chosen, at first with that of the target rate. */
export function thresholdPanel(calibration, onpoint) {
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
    field("Threshold", slider), results,
    h("div", { class: "row" }, field("Probes a day", probes), field("of them strangers, %", strangers)));
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
