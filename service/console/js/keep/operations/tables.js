// What the process has counted since its start.
import { bytes, count, duration, moment, percent, words } from "../../format.js";
import { number } from "../../rates.js";
import { h, table } from "../../ui.js";
import { total } from "./measured.js";

const ms = (value) => (value === null || value === undefined ? "–" : duration(value / 1000));
const DRIFT = { stable: ["good", "stable"], moved: ["warn", "moved"], drifted: ["bad", "drifted"] };

const part = (title, content) => h("section", { class: "stack tight" }, h("h2", {}, title), content);

/** A table under its name, or one line where there is nothing in it. */
const listed = (title, { rows, empty = "", ...more }) => part(title, rows.length ? table({ caption: title, hideCaption: true, rows, ...more }) : h("p", { class: "muted" }, empty));

export function galleries({ galleries: open }) {
  if (!open.length) return null;
  return part("Galleries that are open", table({
    caption: "Galleries that are open", hideCaption: true,
    columns: [
      { key: "gallery", label: "Gallery", row: true },
      { label: "Index", render: (one) => one.index },
      { label: "Templates", number: true, render: (one) => count(one.templates) },
      { label: "Memory", number: true, render: (one) => bytes(one.memory_bytes) },
      { label: "Behind the store", render: (one) => (one.behind === null ? "–" : one.behind ? h("span", { class: "tag warn" }, `${count(one.behind)} changes`) : "no") },
      { label: "Recall (at least)", number: true, render: (one) => (one.recall === null ? "–" : `${percent(one.recall)} of ${count(one.audited)}`) },
      { label: "Drift", render: (one) => drifts(one.drift) },
    ],
    rows: open,
  }));
}

/** Each measure that can be told of, and that the others cannot be yet. */
function drifts(found) {
  const told = found.filter(({ state }) => state !== "few");
  return told.length ? told.map(drift) : h("span", { class: "muted words" }, found.length ? "too few to say yet" : "nothing to compare with");
}

function drift({ of, state, psi, samples }) {
  const [tone, text] = DRIFT[state];
  const told = `PSI ${psi === null ? "–" : number(psi, 2)} over ${count(samples)}`;
  return h("span", { class: "drift" }, h("span", { class: `tag ${tone}`, title: told }, `${words(of)}: ${text}`));
}

export function routes({ routes: found }) {
  const rows = found.filter((route) => total(route)).sort((a, b) => total(b) - total(a));
  return listed("Requests since the start", {
    empty: "Nothing was asked yet.",
    columns: [
      { label: "Route", row: true, render: ({ method, route }) => (route === "unmatched" ? `${method} of files, and what is not there` : h("code", { class: "whole" }, `${method} ${route}`)) },
      { label: "Answered", number: true, render: (route) => count(total(route)) },
      { label: "Refused", number: true, render: ({ answered }) => count(Object.entries(answered).reduce((sum, [status, seen]) => sum + (status >= "400" && status < "500" ? seen : 0), 0)) },
      { label: "Failed", number: true, render: ({ failed }) => (failed ? h("span", { class: "tag bad" }, count(failed)) : "0") },
      ...["p50", "p95", "p99"].map((name) => ({ label: name, number: true, render: ({ times }) => ms(times?.[name]) })),
    ],
    rows,
  });
}

export function queues({ queues: found }) {
  return part("Batches", table({
    caption: "Batches", hideCaption: true,
    columns: [
      { key: "stage", label: "Stage", row: true },
      { label: "Waiting", number: true, render: ({ waiting, limit }) => `${count(waiting)} of ${count(limit)}` },
      { label: "Batches", number: true, render: ({ batches }) => count(batches) },
      { label: "Requests in one", number: true, render: ({ items }) => number(items) },
      { label: "Sizes", render: ({ sizes }) => sizesOf(sizes) },
      { label: "Waited, p99", number: true, render: ({ waited }) => ms(waited?.p99) },
      { label: "Worked, p50", number: true, render: ({ worked }) => ms(worked?.p50) },
      { label: "Worked, p99", number: true, render: ({ worked }) => ms(worked?.p99) },
    ],
    rows: found,
  }));
}

/** A bar for each size up to the largest that there was; sizes: how many batches had at most so many. */
function sizesOf(sizes) {
  const ends = Object.entries(sizes).map(([end, below]) => [end, below]);
  const own = ends.map(([end, below], place) => [end, below - (place ? ends[place - 1][1] : 0)]);
  const most = Math.max(...own.map(([, number]) => number), 0);
  if (!most) return "–";
  const told = own.filter(([, number]) => number).map(([end, number]) => `up to ${end}: ${number}`).join(", ");
  return h("span", { class: "sizes", role: "img", "aria-label": told, title: told }, own.map(([, number]) => h("i", { style: { "--share": number / most } })));
}

export function decisions({ decisions: found, abstained }) {
  const kinds = [...new Set(found.map(({ kind }) => kind))];
  const outcomes = ["match", "no_match", "abstain"];
  const of = (kind, outcome) => found.find((each) => each.kind === kind && each.outcome === outcome)?.count ?? 0;
  const reasons = Object.entries(abstained).sort(([, a], [, b]) => b - a);
  return h("div", { class: "two-columns even" },
    listed("Decisions", {
      empty: "Nothing was decided yet.",
      columns: [{ label: "Of", row: true, render: ({ kind }) => kind }, ...outcomes.map((outcome) => ({ label: words(outcome), number: true, render: ({ kind }) => count(of(kind, outcome)) }))],
      rows: kinds.map((kind) => ({ kind })),
    }),
    listed("Why it abstained", {
      empty: "It never did.",
      columns: [{ label: "Reason", row: true, render: ([word]) => words(word) }, { label: "Times", number: true, render: ([, times]) => count(times) }],
      rows: reasons,
    }));
}

export function models({ models: found }) {
  return part("Models", table({
    caption: "Models", hideCaption: true,
    columns: [
      { label: "Model", row: true, render: ({ name }) => name },
      { key: "task", label: "Task" },
      { label: "Takes", render: ({ layout, frames, fps, people }) => h("span", { class: "words" }, `${layout}, ${frames} frames at ${fps} a second${people > 1 ? `, ${people} people` : ""}`) },
      { label: "Gives", render: ({ dim, labels }) => h("span", { class: "whole" }, dim ? `${dim} numbers` : `${labels.length} actions`) },
      { label: "Runs on", render: (one) => one.runs_on.join(", ") },
      { label: "Fingerprint", render: ({ fingerprint }) => h("code", { title: fingerprint }, fingerprint.slice(0, 10)) },
      { label: "Since", render: ({ since }) => h("span", { class: "whole" }, moment(since)) },
    ],
    rows: found,
  }));
}
