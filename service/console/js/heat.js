// A matrix as a table whose cells are shaded: whoever hears the page has the same numbers as whoever sees it.
import { h } from "./ui.js";

const STEPS = 10;
const DEEP = 6;
const DENSE = 16;

/**
 * rows, columns: names. values: [row][column] shares, null where there is none. low, high: what the palest and the
 * deepest shade stand for. format(share) → text. corner: what rows and columns are, such as "gallery ↓ probe →".
 * none: what stands where there is no share. cell(row, column) → {title?, onclick?} for what more a cell has.
 */
export function heatTable({ caption, about = "", corner = "", rows, columns, values, low = 0, high = 1, format, none = "–", cell = null }) {
  const one = (row, column) => shaded(values[row][column], { low, high, format, none, more: cell?.(row, column) });
  return h("div", { class: "heat-frame", role: "region", "aria-label": caption, tabindex: "0" },
    h("table", { class: columns.length > DENSE ? "heat dense" : "heat" },
      h("caption", {}, caption, about ? [" ", h("small", {}, about)] : null),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, corner), columns.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, rows.map((name, row) => h("tr", {}, h("th", { scope: "row" }, name), columns.map((_, column) => one(row, column)))))));
}

function shaded(value, { low, high, format, none, more }) {
  if (value === null || value === undefined) return h("td", { class: "none", ...more }, none);
  const step = stepOf(value, low, high);
  return h("td", { dataset: { step, ...(step >= DEEP ? { deep: "" } : {}) }, ...more }, format(value));
}

/** 0 to 10: how deep a value is between the ends. */
export const stepOf = (value, low, high) => Math.round(STEPS * Math.min(Math.max((value - low) / (high - low || 1), 0), 1));

/** What the shades stand for. */
export function heatScale(low, high, format) {
  const steps = Array.from({ length: STEPS + 1 }, (_, step) => h("b", { dataset: { step } }));
  return h("p", { class: "heat-scale", "aria-hidden": "true" }, format(low), h("i", {}, steps), format(high));
}
