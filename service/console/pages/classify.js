// What is this person doing? The same player, and the probabilities of actions along its time axis.
import { lengthOf, meanAt, rowOf } from "../js/clips.js";
import { many, percent, words } from "../js/format.js";
import { createPlayer } from "../js/player/player.js";
import { skeletons } from "../js/player/skeletons.js";
import { qualityOf } from "../js/quality.js";
import { remember } from "../js/place.js";
import { createSource } from "../js/source.js";
import { failed, fill, h, waiting } from "../js/ui.js";

export const title = "Classify";
const ACTIONS = 6;

export async function mount(root, { api, params, controls }) {
  const page = new Classify(api);
  fill(root, page.element);
  controls.append(page.source.controls);
  await page.start(params);
  return () => page.close();
}

class Classify {
  constructor(api) {
    this.api = api;
    this.turn = 0;
    this.now = h("div", { class: "now" });
    this.source = createSource(api, {
      onChosen: (chosen) => this.show(chosen),
      onWaiting: () => this.#wait(),
      first: ["Actions", "Recorded people (CMU)"],
    });
    this.player = createPlayer({ label: "Sequence", onTime: (time) => this.#at(time), keys: [this.source.keys] });
    this.told = h("div", { class: "stack", "aria-live": "polite" });
    this.quality = h("div");
    this.work = h(
      "div",
      { class: "look three", hidden: true },
      h("div", { class: "stack played" }, this.player.element),
      h("section", { class: "panel told", "aria-label": "Action" }, this.told),
      h(
        "section",
        { class: "panel judged", "aria-label": "Quality of the sequence" },
        h("h2", {}, "Quality"),
        this.quality,
      ),
    );
    this.element = h("div", { class: "stack" }, this.source.tracks, this.source.empty, this.work);
  }

  async start(params) {
    this.words = (await skeletons()).words;
    await this.source.ready;
    if (params.get("sample")) await this.source.choose(params.get("sample"));
  }

  #wait() {
    this.source.empty.hidden = true;
    this.work.hidden = false;
    fill(this.told, waiting(5, "Classifying"));
  }

  async show(chosen) {
    this.chosen = chosen;
    this.answer = null;
    this.source.empty.hidden = Boolean(chosen);
    this.work.hidden = !chosen;
    if (!chosen) return;
    remember({ sample: chosen.sample?.name ?? "" });
    await this.player.load([{ sequence: chosen.sequence, name: chosen.name }]);
    await this.ask();
  }

  async ask() {
    const mine = ++this.turn;
    fill(this.told, waiting(5, "Classifying"));
    try {
      const answer = await this.api.post("/classify", {
        top_k: ACTIONS,
        timeline: true,
        sequence: this.chosen.sequence,
      });
      if (mine === this.turn) this.#tell(answer);
    } catch (problem) {
      if (mine !== this.turn) return;
      fill(
        this.told,
        failed(problem, () => this.ask()),
      );
      fill(
        this.quality,
        this.chosen.quality
          ? qualityOf(this.chosen.quality, this.words, this.chosen.notes)
          : h("p", { class: "muted" }, "Not judged."),
      );
    }
  }

  #tell(answer) {
    this.answer = answer;
    const clips = answer.timeline?.seconds.length ?? 0;
    fill(
      this.told,
      h(
        "div",
        { class: "verdict" },
        h("p", { class: "subject" }, words(answer.action)),
        h(
          "p",
          {},
          `${percent(answer.probability, 1)} over the whole sequence`,
          clips > 1 ? `, the mean of ${many(clips, "clip")}.` : ".",
        ),
      ),
      h(
        "ol",
        { class: "action-list", "aria-label": "Actions, most probable first" },
        answer.actions.map((each) =>
          h(
            "li",
            {},
            h("span", { class: "name clip" }, words(each.action)),
            h("span", { class: "value" }, percent(each.probability, 1)),
            h("span", { class: "bar" }, h("i", { style: { "--share": each.probability } })),
          ),
        ),
      ),
      clips > 1
        ? h("div", {}, h("h3", {}, "At the line"), this.now)
        : h(
            "p",
            { class: "muted small" },
            "The sequence is one clip long: the probabilities are the same all along it.",
          ),
    );
    fill(
      this.quality,
      qualityOf(answer.quality, this.words, [...new Set([...(this.chosen.notes ?? []), ...answer.notes])]),
    );
    if (answer.timeline)
      this.player.setRows("Probability of actions", rowsOf(answer.timeline, lengthOf(this.chosen.sequence)));
    this.#at(this.player.clock.time);
  }

  /** The action at the line of the player. */
  #at(time) {
    const timeline = this.answer?.timeline;
    if (!timeline || timeline.seconds.length < 2) return;
    const shares = sharesAt(timeline, time);
    const best = shares.indexOf(Math.max(...shares));
    fill(this.now, h("p", {}, h("strong", {}, words(timeline.actions[best])), ` ${percent(shares[best], 0)}`));
  }

  close() {
    this.turn++;
    this.source.close();
    this.player.close();
  }
}

/** Probabilities of the timeline's actions at a time. */
export function sharesAt(timeline, time) {
  return timeline.actions.map((_, place) => meanAt(timeline.seconds, valuesOf(timeline, place), time));
}

const valuesOf = (timeline, place) => timeline.probabilities.map((clip) => clip[place]);

/** Rows for the player's time axis: one an action, as tall as it is probable. */
export function rowsOf(timeline, length) {
  return timeline.actions.map((action, place) =>
    rowOf(words(action), timeline.seconds, valuesOf(timeline, place), length, `series-${1 + (place % 6)}`, percent),
  );
}
