// The subjects of a gallery: what is enrolled of each, on what ground, and until when.
import { day, many } from "../../format.js";
import { button, choices, field, fill, h, table } from "../../ui.js";
import { ending } from "./contents.js";

const SHOWN = 50;
const FILTERS = {
  all: ["All", () => true],
  thin: ["One template", (one) => one.templates === 1],
  ending: ["Consent ends soon", (one) => (ending(one.consent)?.days ?? Infinity) <= 30],
  without: ["No consent noted", (one) => !one.consent.reference],
  held: ["On hold", (one) => Boolean(one.hold)],
};

/** {node, missing(what, test)}: `missing` shows only whom the test finds. */
export function subjectList(gallery, { subjects, labels }) {
  const state = { filter: "all", text: "", test: null, what: "", shown: SHOWN };
  const search = h("input", { class: "input", type: "search", placeholder: "part of an id", autocomplete: "off" });
  const body = h("div", { class: "stack tight", "aria-live": "polite" });
  const node = h("section", { class: "stack tight", "aria-label": "Subjects" });
  const draw = () => fill(body, state.test ? lacking(state, draw) : null, rows(gallery, subjects.filter((one) => wanted(one, state)), labels, state, draw));
  search.addEventListener("input", () => { Object.assign(state, { text: search.value.trim().toLowerCase(), shown: SHOWN }); draw(); });
  const kinds = Object.entries(FILTERS).map(([key, [label, test]]) => [key, `${label} ${subjects.filter(test).length}`]);
  const filters = choices("Show", kinds, { value: "all", onchange: (filter) => { Object.assign(state, { filter, shown: SHOWN }); draw(); } });
  fill(node, h("div", { class: "row apart" }, h("h2", {}, "Subjects"), h("div", { class: "row" }, h("div", { class: "scrolling" }, filters), field("Find", search, { beside: true }))), body);
  draw();
  return {
    node,
    missing(what, test) {
      Object.assign(state, { test, what, shown: SHOWN });
      draw();
      node.scrollIntoView({ block: "start" });
    },
  };
}

const wanted = (one, { filter, text, test }) => FILTERS[filter][1](one) && (!text || one.subject.toLowerCase().includes(text)) && (!test || test(one));

function lacking(state, draw) {
  return h("p", { class: "row" }, h("span", { class: "tag warn" }, `without ${state.what}`),
    button("Show all", { class: "plain", onclick: () => { state.test = null; draw(); } }));
}

function rows(gallery, found, labels, state, draw) {
  const views = labels.get("view");
  const to = (one) => `#/gallery/${encodeURIComponent(one.subject)}?gallery=${encodeURIComponent(gallery.name)}`;
  const columns = [
    { label: "Subject", row: true, render: (one) => h("a", { class: "long", href: to(one) }, one.subject) },
    { label: "Templates", number: true, render: (one) => one.templates },
    ...(views ? [{ label: "Views", render: (one) => viewsOf(one, views) }] : []),
    { label: "Shortest", number: true, render: (one) => (one.enrolled.length ? many(Math.min(...one.enrolled.map(({ frames }) => frames)), "frame") : "–") },
    { label: "Consent", render: ({ consent }) => h("span", { class: "words" }, consent.reference ?? h("span", { class: "muted" }, "none noted"), consent.purpose ? h("span", { class: "muted" }, ` for ${consent.purpose}`) : null) },
    { label: "Ends", render: ({ consent }) => ends(consent) },
    { label: "Hold", render: ({ hold }) => (hold ? h("span", { class: "tag warn" }, hold) : "–") },
  ];
  const more = found.length > state.shown ? button(`Show ${found.length - state.shown} more`, { onclick: () => { state.shown = Infinity; draw(); } }) : null;
  if (!found.length) return h("p", { class: "muted" }, "Nobody is so.");
  return [table({ caption: "Subjects", hideCaption: true, columns, rows: found.slice(0, state.shown) }), more];
}

/** A mark for each view: full where it is enrolled. */
function viewsOf(one, views) {
  const own = new Set(one.enrolled.map(({ labels }) => labels.view));
  const there = views.filter((view) => own.has(view));
  return h("span", { class: "views", title: there.join(", ") || "none" }, h("span", { class: "marks", "aria-hidden": "true" }, views.map((view) => h("i", { class: own.has(view) ? "there" : "" }))), `${there.length} of ${views.length}`);
}

export function ends(consent) {
  const end = ending(consent);
  if (!end) return "–";
  return h("span", { class: "whole" }, day(consent.expires), " ", end.days <= 30 ? h("span", { class: `tag ${end.tone}` }, end.text) : null);
}
