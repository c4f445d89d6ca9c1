// Who is it? A sequence plays; candidates stand beside it against the threshold; one of them walks beside the probe.
import { lengthOf, scoreRows } from "../js/clips.js";
import { candidates, figures, verdict } from "../js/decision.js";
import { allGalleries } from "../js/keep/gallery-choice.js";
import { createPlayer } from "../js/player/player.js";
import { skeletons } from "../js/player/skeletons.js";
import { qualityOf } from "../js/quality.js";
import { remember } from "../js/place.js";
import { createSource } from "../js/source.js";
import { failed, field, fill, h, note, nothing, select, waiting } from "../js/ui.js";

export const title = "Identify";
const RATES = [
  ["", "As calibrated"],
  ["0.1", "10 %"],
  ["0.05", "5 %"],
  ["0.02", "2 %"],
  ["0.01", "1 %"],
  ["0.001", "0.1 %"],
];

export async function mount(root, { api, params, controls }) {
  const page = new Identify(api, params);
  fill(root, page.element);
  controls.append(...page.head);
  await page.start(params);
  return () => page.close();
}

// From this length on, it is worth seeing which part of a sequence looks like whom.
const LONG_S = 5;
const CANDIDATES = 8;

class Identify {
  constructor(api, params) {
    this.api = api;
    this.turn = 0;
    this.source = createSource(api, {
      onChosen: (chosen) => this.show(chosen),
      onWaiting: () => this.#wait(),
      first: ["Enrolled, seen again", "Strangers", "Recorded people (CMU)"],
    });
    const digits = Array.from({ length: CANDIDATES }, (_, place) => [String(place + 1), () => this.#nth(place)]);
    const beside = [
      ["1", "…", String(CANDIDATES)],
      "a candidate beside the probe, or away again",
      Object.fromEntries(digits),
    ];
    this.player = createPlayer({ label: "Probe", keys: [beside, this.source.keys] });
    this.gallery = select([], {
      onchange: () => {
        remember({ gallery: this.gallery.value });
        this.ask();
      },
    });
    this.rate = select(RATES, {
      value: params.get("fpir") ?? "",
      onchange: () => {
        remember({ fpir: this.rate.value });
        this.ask();
      },
    });
    this.head = [
      this.source.controls,
      field("Gallery", this.gallery, { beside: true }),
      field("FPIR", this.rate, { beside: true }),
    ];
    this.told = h("div", { class: "stack", "aria-live": "polite", "aria-atomic": "false" });
    this.compared = h("div", { "aria-live": "polite" });
    this.quality = h("div");
    this.start_ = this.source.empty;
    this.work = h(
      "div",
      { class: "look three", hidden: true },
      h("div", { class: "stack played" }, this.player.element, this.compared),
      h("section", { class: "panel told", "aria-label": "Decision" }, this.told),
      h(
        "section",
        { class: "panel judged", "aria-label": "Quality of the sequence" },
        h("h2", {}, "Quality"),
        this.quality,
      ),
    );
    this.element = h("div", { class: "stack" }, this.source.tracks, this.start_, this.work);
  }

  async start(params) {
    const [galleries, { words }] = await Promise.all([allGalleries(this.api), skeletons()]);
    this.words = words;
    const names = galleries.map((each) => each.name);
    const wanted = names.includes(params.get("gallery"))
      ? params.get("gallery")
      : names.includes("default")
        ? "default"
        : names[0];
    this.gallery.disabled = !names.length;
    fill(
      this.gallery,
      names.length ? null : h("option", { value: "" }, "none"),
      names.map((name) => h("option", { value: name, selected: name === wanted }, name)),
    );
    await this.source.ready;
    if (params.get("sample")) await this.source.choose(params.get("sample"));
  }

  #wait() {
    this.start_.hidden = true;
    this.work.hidden = false;
    fill(this.told, waiting(5, "Identifying"));
    fill(this.compared);
  }

  /** chosen: of `createSource`; null where there was nothing to show. */
  async show(chosen) {
    this.chosen = chosen;
    if (!chosen) {
      this.start_.hidden = false;
      this.work.hidden = true;
      return;
    }
    this.start_.hidden = true;
    this.work.hidden = false;
    remember({ sample: chosen.sample?.name ?? "" });
    await this.player.load([{ sequence: chosen.sequence, name: chosen.name }]);
    await this.ask();
  }

  async ask() {
    if (!this.chosen) return;
    const mine = ++this.turn;
    if (!this.gallery.value) return this.#refused({ kind: "no-gallery" });
    fill(this.told, waiting(5, "Identifying"));
    fill(this.compared);
    const asked = { gallery: this.gallery.value, top_k: CANDIDATES, sequence: this.chosen.sequence };
    if (this.rate.value) asked.target_fpir = Number(this.rate.value);
    if (lengthOf(this.chosen.sequence) > LONG_S) asked.timeline = true;
    try {
      const decision = await this.api.post("/identify", asked);
      if (mine === this.turn) this.#tell(decision);
    } catch (problem) {
      if (mine === this.turn) this.#refused(problem);
    }
  }

  /** Nobody can be looked for: why, and what to do about it. */
  #refused(problem) {
    const enroll = h("a", { class: "button", href: this.api.path`#/gallery?gallery=${this.gallery.value}` }, "To the gallery");
    fill(
      this.told,
      problem.kind === "empty-gallery"
        ? nothing("Nobody is enrolled", `${this.gallery.value} is empty, so there is nobody to be found.`, enroll)
        : problem.kind === "no-gallery"
          ? nothing("No gallery", "There is no gallery to look in, or none that your key reaches.")
          : failed(problem, () => this.ask()),
    );
    const { quality, notes } = this.chosen;
    fill(
      this.quality,
      quality ? qualityOf(quality, this.words, notes) : h("p", { class: "muted" }, "Not judged."),
    );
  }

  #tell(decision) {
    this.decision = decision;
    fill(
      this.told,
      verdict(decision, this.words),
      decision.outcome === "abstain" && !decision.candidates.length
        ? null
        : h("div", {}, h("h3", {}, "Candidates"), candidates(decision, { onChoose: (each) => this.compare(each) })),
      h("details", {}, h("summary", {}, "Numbers"), figures(decision)),
    );
    fill(
      this.quality,
      qualityOf(
        decision.quality,
        this.words,
        [...new Set([...(this.chosen.notes ?? []), ...decision.notes])],
        decision.reasons,
      ),
    );
    if (this.player.figures.length > 1) this.player.load([this.#probe()]);
    this.#rows();
  }

  #rows() {
    this.player.setRows("Score of candidates", scoreRows(this.decision, lengthOf(this.chosen.sequence)));
  }

  /** The candidate of a rank, by its key. */
  #nth(place) {
    this.told.querySelectorAll(".candidate")[place]?.click();
  }

  #probe() {
    return { sequence: this.chosen.sequence, name: this.chosen.name };
  }

  /** Show a candidate's template beside the probe; choosing it again takes it away. */
  async compare(candidate) {
    const rows = [...this.told.querySelectorAll(".candidate")];
    const row = rows.find((each) => each.dataset.subject === candidate.subject);
    const off = row.getAttribute("aria-pressed") === "true";
    rows.forEach((each) => each.setAttribute("aria-pressed", String(each === row && !off)));
    fill(this.compared);
    const mine = ++this.turn;
    if (off) return this.player.load([this.#probe()]).then(() => this.#rows());
    const where = this.api
      .path`/galleries/${this.decision.gallery}/subjects/${candidate.subject}/templates/${candidate.template}/skeleton`;
    try {
      const sequence = await this.api.get(where);
      if (mine !== this.turn) return;
      await this.player.load([
        { ...this.#probe(), name: `Probe: ${this.chosen.name}` },
        { sequence, name: `${candidate.subject}, template ${candidate.template}` },
      ]);
      this.#rows();
      fill(
        this.compared,
        this.player.map ? null : note("", "No steps were found in one of the two, so they are not in step."),
      );
    } catch (problem) {
      if (mine !== this.turn) return;
      if (this.player.figures.length > 1) await this.player.load([this.#probe()]);
      fill(this.compared, this.#noSkeleton(candidate, problem));
    }
  }

  #noSkeleton(candidate, problem) {
    if (problem.status === 404) {
      return note(
        "",
        `No skeleton is kept of ${candidate.subject}'s template ${candidate.template}, so there is nothing to play `,
        "beside the probe. A gallery made with a vault keeps them.",
      );
    }
    if (problem.status === 403)
      return note("", "Your key may not see skeletons: that takes the scope ", h("code", {}, "investigate"), ".");
    return failed(problem, () => this.compare(candidate));
  }

  close() {
    this.turn++;
    this.source.close();
    this.player.close();
  }
}
