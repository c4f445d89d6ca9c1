// Numbers and times as people read them.

const EMPTY = "–";

/** A share in per cent with as many digits as it needs: 0.05 → "5 %", 0.0012 → "0.12 %". */
export function percent(share, digits) {
  if (share === null || share === undefined) return EMPTY;
  const value = 100 * share;
  const needed =
    digits ?? (value === 0 || value >= 10 ? (value % 1 ? 1 : 0) : Math.max(0, 1 - Math.floor(Math.log10(value))));
  return `${Number(value.toFixed(Math.min(needed, 6)))} %`;
}

/** A cosine: three digits, always with its sign's place. */
export const score = (value) => (value === null || value === undefined ? EMPTY : value.toFixed(3).replace("-", "−"));

export const count = (value) => (value === null || value === undefined ? EMPTY : value.toLocaleString("en"));

/** 1 subject, 2 subjects. */
export const many = (number, word, plural = `${word}s`) => `${count(number)} ${number === 1 ? word : plural}`;

export const seconds = (value) => `${value.toFixed(2)} s`;

/** Milliseconds or seconds, whichever reads better. */
export const duration = (s) =>
  s === null || s === undefined
    ? EMPTY
    : s < 1
      ? `${(1000 * s).toFixed(s < 0.01 ? 1 : 0)} ms`
      : `${s.toFixed(s < 10 ? 2 : 0)} s`;

/** A moment, local: 2026-11-23 02:14. */
export function moment(iso) {
  if (!iso) return EMPTY;
  const at = new Date(iso);
  const two = (number) => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

export const day = (iso) => (iso ? moment(iso).slice(0, 10) : EMPTY);

export const bytes = (value) =>
  value < 1024
    ? `${value} B`
    : value < 1048576
      ? `${(value / 1024).toFixed(0)} KiB`
      : `${(value / 1048576).toFixed(1)} MiB`;

/** A machine's word as people write it: no_match → no match. */
export const words = (text) => String(text).replaceAll("_", " ");
