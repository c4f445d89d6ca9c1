// Who is in a stream, as its events tell: a card for each track, and a log of what was decided.
import { outcomeTag } from "../decision.js";
import { many, percent, score, words } from "../format.js";
import { fill, h } from "../ui.js";

const ENDED_KEPT = 12,
  LOG_KEPT = 100;

export class Tracks {
  constructor() {
    this.known = new Map();
    this.cards = h("ul", { class: "cards", "aria-label": "Tracks" });
    this.lines = h("ol");
    this.log = h("div", { class: "log", role: "log", "aria-label": "Decisions", tabindex: "0" }, this.lines);
    this.#draw();
  }

  /** Take in one event of the stream; true if it was about a track. */
  take(name, data) {
    const handle = {
      track_started: this.#started,
      decision: this.#decided,
      action: this.#acted,
      track_ended: this.#ended,
    }[name];
    if (!handle) return false;
    handle.call(this, data);
    this.#draw();
    return true;
  }

  /** What stands over a head. */
  nameOf = (track) => {
    const { decision } = this.known.get(track) ?? {};
    if (!decision) return { text: "looking…", outcome: null };
    const text =
      decision.outcome === "match" ? decision.subject : decision.outcome === "no_match" ? "nobody known" : "not sure";
    return { text, outcome: decision.outcome };
  };

  #of(track) {
    if (!this.known.has(track)) this.known.set(track, { track, since: 0, decision: null, action: null, over: false });
    return this.known.get(track);
  }

  /** Somebody of whom the stream knew before we looked. */
  resume({ track, first, last, source, outcome, subject }) {
    const decision = outcome ? { outcome, subject, score: null, threshold: null } : null;
    Object.assign(this.#of(track), { since: first, at: last, source, decision });
    this.#draw();
  }

  #started({ track, at, source }) {
    Object.assign(this.#of(track), { since: at, source });
  }

  #decided(event) {
    const one = this.#of(event.track);
    const same =
      one.decision &&
      one.decision.outcome === event.decision.outcome &&
      one.decision.subject === event.decision.subject;
    Object.assign(one, {
      decision: event.decision,
      look: event.look,
      clips: event.clips,
      rate: event.track_fpir,
      last: event.last,
    });
    const { decision } = event;
    this.lines.prepend(
      h(
        "li",
        {},
        h("span", { class: "at" }, `${event.at.toFixed(1)} s`),
        h(
          "div",
          {},
          h(
            "p",
            { class: "row" },
            h("strong", {}, decision.subject ?? `Track ${event.track}`),
            outcomeTag(decision.outcome),
          ),
          h(
            "p",
            { class: "small muted" },
            [
              decision.subject ? `track ${event.track}` : null,
              same ? "as before" : event.previous ? `until now ${event.previous}` : null,
              decision.score === null ? null : `${score(decision.score)} against ${score(decision.threshold)}`,
              event.last ? "last word" : null,
            ]
              .filter(Boolean)
              .join(" · "),
          ),
        ),
      ),
    );
    while (this.lines.children.length > LOG_KEPT) this.lines.lastElementChild.remove();
  }

  #acted({ track, action, probability }) {
    this.#of(track).action = { action, probability };
  }

  #ended({ track, at, frames }) {
    Object.assign(this.#of(track), { over: true, at, frames });
    const over = [...this.known.values()].filter((each) => each.over);
    over.slice(0, Math.max(0, over.length - ENDED_KEPT)).forEach((each) => this.known.delete(each.track));
  }

  #draw() {
    const order = [...this.known.values()].sort((a, b) => a.over - b.over || b.since - a.since);
    fill(this.cards, order.length ? order.map(card) : h("li", { class: "muted" }, "Nobody is followed yet."));
  }
}

function card(one) {
  const { decision } = one;
  return h(
    "li",
    { class: one.over ? "card over" : "card", dataset: { track: one.track } },
    h(
      "p",
      { class: "row apart" },
      h(
        "strong",
        { class: "clip" },
        decision?.subject ?? (decision?.outcome === "no_match" ? "Nobody known" : decision ? "Not sure" : "Looking…"),
      ),
      decision ? outcomeTag(decision.outcome) : h("span", { class: "tag" }, "following"),
    ),
    decision && decision.score !== null && decision.threshold !== null ? against(decision) : null,
    h(
      "p",
      { class: "small muted" },
      [
        `track ${one.track}`,
        `from ${one.since.toFixed(1)} s`,
        one.over ? `until ${one.at.toFixed(1)} s` : null,
        one.look ? `${many(one.look, "look")}, ${many(one.clips, "clip")}` : null,
        one.rate ? `FPIR ${percent(one.rate)}` : null,
      ]
        .filter(Boolean)
        .join(" · "),
    ),
    one.action ? h("p", { class: "small" }, `${words(one.action.action)} ${percent(one.action.probability, 0)}`) : null,
  );
}

/** Score and threshold on one line from 0 to 1. */
function against({ score: best, threshold, outcome }) {
  const place = (value) => Math.max(0, Math.min(1, value));
  return h(
    "div",
    { class: "candidate-line" },
    h(
      "span",
      { class: "bar" },
      h("i", { class: outcome === "match" ? "fill reaches" : "fill", style: { "--share": place(best) } }),
      h("i", { class: "mark", style: { "--share": place(threshold) } }),
    ),
    h("span", { class: "small" }, `${score(best)} / ${score(threshold)}`),
  );
}
