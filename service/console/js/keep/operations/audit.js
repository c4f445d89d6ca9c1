// The audit log, newest first: who did what and when. It names galleries and subjects by their keys only.
import { api } from "../../api.js";
import { count, moment, words } from "../../format.js";
import { button, field, fill, h, select, table } from "../../ui.js";

const SPAN = 50;
const SEARCHED = 1000; // of which those of one action are shown
const ACTIONS = [
  "identify", "verify", "enroll", "update", "rename", "merge", "move", "receive", "erase", "purge", "access", "show_skeleton", "calibrate", "gallery", "migrate", "switch",
  "job", "webhook", "webhook_given_up", "api_key_made", "api_key_rotated", "api_key_revoked", "use_key", "key_rotated", "backup", "restore",
];

export async function auditView(root, { params }) {
  const state = { action: params.get("action") ?? "", upTo: null, entries: [], head: "" };
  const choice = select([["", "Everything"], ...ACTIONS.map((each) => [each, words(each)])], { value: state.action, onchange: () => start(choice.value) });
  const body = h("div", { class: "stack tight", "aria-live": "polite" });
  const [count_, head] = [h("span", { class: "muted" }), h("code", { class: "clip" })];
  async function start(action) {
    Object.assign(state, { action, upTo: null, entries: [] });
    await older();
  }
  async function older() {
    if (state.upTo === null) state.upTo = await newest();
    const span = state.action ? SEARCHED : SPAN;
    const after = Math.max(state.upTo - span, 0);
    const page = await api.get(`/audit?after=${after}&limit=${span}${state.action ? `&action=${state.action}` : ""}`);
    state.entries.push(...page.entries.filter(({ seq }) => seq <= state.upTo).reverse());
    Object.assign(state, { upTo: after, head: page.head });
    draw();
  }
  function draw() {
    const [last, hash] = state.head.split(":");
    count_.textContent = `${count(Number(last))} entries`;
    Object.assign(head, { textContent: `${last}:${hash.slice(0, 16)}…`, title: state.head });
    fill(body, list(state.entries), state.upTo > 0 ? button("Older", { onclick: older }) : null);
  }
  fill(root, h("div", { class: "row apart" }, field("Show", choice, { beside: true }), h("p", { class: "row" }, count_, h("span", { class: "muted" }, "head"), head)),
    body, h("p", { class: "small muted" }, "Each entry's hash covers the entry and the hash before it. Note the head elsewhere now and then: ", h("code", {}, "gaitkeeper audit verify --head"), " then sees whatever was changed or cut off."));
  await older();
}

async function newest() {
  return Number((await api.get("/audit?limit=1")).head.split(":")[0]);
}

/** What an entry says besides, without what is empty. */
function inOneLine(detail) {
  const text = (value) => (Array.isArray(value) ? value.map(words).join(" and ") : typeof value === "object" && value !== null ? JSON.stringify(value) : String(value));
  return Object.entries(detail).filter(([, value]) => value !== null && value?.length !== 0).map(([name, value]) => `${words(name)} ${text(value)}`).join(", ");
}

function list(entries) {
  return table({
    caption: "Audit log", hideCaption: true, empty: "There is no such entry among the latest.",
    columns: [
      { key: "seq", label: "No.", number: true, row: true },
      { label: "When", render: ({ at }) => h("span", { class: "whole" }, moment(at)) },
      { key: "actor", label: "Who" },
      { label: "What", render: ({ action }) => words(action) },
      { label: "Gallery", number: true, render: ({ gallery }) => gallery ?? "–" },
      { label: "Subject", number: true, render: ({ subject }) => subject ?? "–" },
      { label: "More", render: ({ detail }) => h("span", { class: "detail" }, inOneLine(detail)) },
    ],
    rows: entries,
  });
}
