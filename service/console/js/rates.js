// Rates with their intervals, and numbers, as people read them.
import { percent } from "./format.js";

/** A rate with its interval at 95 %: 4.8 % (3.9 to 5.9). */
export function between(rate, ends) {
  if (rate === null || rate === undefined) return "–";
  if (!ends) return percent(rate);
  const [low, high] = ends.map((end) => percent(end).replace(" %", ""));
  return `${percent(rate)} (${low} to ${high})`;
}

/** A number with as many digits as say something; whole ones and thousands in full. */
export function number(value, digits = 3) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const whole = Number.isInteger(value) || Math.abs(value) >= 1000;
  return whole ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(digits)));
}
