// What went wrong, in words: problem documents of the service, and errors of the browser.
import { bytes } from "./format.js";

/** As a sentence of its own. */
export const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

const PASSING = new Set([0, 401, 408, 409, 429]);

/** Whether trying again may help. An error without a status is one of the browser. */
export const passing = ({ status }) => status === undefined || status >= 500 || PASSING.has(status);

/** Of a file whose name stands beside it. */
export const ofFile = (problem, name) => inWords(problem).replace(`cannot read ${name}: `, "");

/** A problem document (or any error) as one or two sentences. */
export function inWords(problem) {
  if (problem.kind === "limit-exceeded" && /bytes$/.test(problem.field ?? ""))
    return `It is larger than ${bytes(problem.limit)}, the most that the service takes at once.`;
  if (problem.status === 401) return "The service wants a key that is good. Sign in with one.";
  const where = problem.field && !String(problem.detail).includes(problem.field) ? ` (${problem.field})` : "";
  return `${problem.detail || problem.message || String(problem)}${where}`;
}
