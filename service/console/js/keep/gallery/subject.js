// One subject: on what ground it is held, its templates, and how they walk where the vault keeps them.
import { api } from "../../api.js";
import { many, moment } from "../../format.js";
import { createPlayer } from "../../player/player.js";
import { skeletons } from "../../player/skeletons.js";
import { qualityOf } from "../../quality.js";
import { found } from "../../source.js";
import { button, failed, fill, h, inWords, note, table, toast } from "../../ui.js";
import { consentDialog, holdDialog } from "./consent.js";
import { eraseSubject, eraseTemplate, save } from "./erase.js";
import { ends } from "./subjects.js";

const SIDE_BY_SIDE = 2;

/** Shows a subject of a gallery; returns what is to be done when the page is left. */
export async function subjectView(root, context, gallery, name) {
  const view = new SubjectView(context, gallery, name);
  fill(root, view.node);
  await view.load();
  return () => view.player.close();
}

class SubjectView {
  constructor({ go }, gallery, name) {
    Object.assign(this, { go, gallery, name, shown: [] });
    this.where = api.path`/galleries/${gallery.name}/subjects/${name}`;
    this.all = `#/gallery?gallery=${encodeURIComponent(gallery.name)}`;
    this.player = createPlayer({ label: "Templates" });
    this.facts = h("div", { class: "stack wide" });
    this.told = h("div", { class: "stack tight", "aria-live": "polite" });
    this.looking = h("section", { class: "two-columns", "aria-label": "Skeletons", hidden: true }, this.player.element, h("div", { class: "panel" }, this.told));
    this.node = h("div", { class: "stack wide" }, h("p", {}, h("a", { href: this.all }, `All of ${gallery.name}`)), this.facts, this.looking);
  }

  async load() {
    const [subject, vault] = await Promise.all([api.get(this.where), this.#vault()]);
    this.vault = vault;
    fill(this.facts, this.#head(subject), this.#templates(subject));
  }

  /** Numbers of the templates whose skeletons are kept. */
  async #vault() {
    if (this.gallery.vault_days === null) return new Set();
    const kept = new Set();
    for await (const page of api.pages(`${api.path`/galleries/${this.gallery.name}/templates`}?limit=1000`)) {
      for (const each of page.templates) if (each.vault && each.subject === this.name) kept.add(each.template);
    }
    return kept;
  }

  #head(subject) {
    const fact = (name, value) => [h("dt", {}, name), h("dd", {}, value)];
    const { consent } = subject;
    const again = () => this.load();
    const metadata = Object.keys(subject.metadata).length ? h("code", {}, JSON.stringify(subject.metadata)) : "–";
    return h("section", { class: "panel stack", "aria-label": "Subject" },
      h("div", { class: "row apart" }, h("h2", { class: "large" }, subject.subject), subject.hold ? h("span", { class: "tag warn" }, `on hold: ${subject.hold}`) : null),
      h("dl", { class: "facts left" }, fact("Enrolled", moment(subject.created)), fact("Templates", subject.templates.length),
        fact("Consent", consent.reference ?? "none noted"), fact("Purpose", consent.purpose ?? "–"), fact("Consent ends", ends(consent)), fact("Metadata", metadata)),
      h("div", { class: "row" }, button("Consent…", { onclick: () => consentDialog(this.where, subject, again) }),
        button(subject.hold ? "Release the hold" : "Hold…", { onclick: () => holdDialog(this.where, subject, again) }),
        button("Copy of all that is held", { icon: "download", onclick: () => this.#copy() }),
        button("Erase…", { class: "danger", icon: "trash", onclick: () => eraseSubject(this.gallery.name, this.name, () => this.go(this.all)) })));
  }

  #templates(subject) {
    const labels = (own) => Object.entries(own).map(([key, value]) => [h("span", { class: "tag" }, `${key} ${value}`), " "]);
    const gone = (last) => (last ? this.go(this.all) : this.load());
    const show = ({ template }) => (this.vault.has(template)
      ? button("Show", { "aria-pressed": String(this.shown.includes(template)), dataset: { template }, onclick: () => this.show(template), "aria-label": `Show template ${template}` })
      : h("span", { class: "muted small" }, "no skeleton"));
    return table({
      caption: `Templates of ${subject.subject}`,
      hideCaption: true,
      columns: [
        { label: "Template", row: true, render: (one) => one.template },
        { label: "Skeleton", render: show },
        { label: "Labels", render: (one) => labels(one.labels) },
        { label: "Frames", number: true, render: (one) => one.frames },
        { label: "Enrolled", render: (one) => h("span", { class: "whole" }, moment(one.created)) },
        { label: h("span", { class: "only-read" }, "Erase"), number: true, render: ({ template }) => button("", { icon: "trash", class: "plain", "aria-label": `Erase template ${template}`,
          onclick: () => eraseTemplate(this.gallery.name, this.name, template, subject.templates.length === 1, gone) }) },
      ],
      rows: subject.templates,
    });
  }

  /** Play a template, beside the one that plays already; pressed again, it is taken away. */
  async show(template) {
    this.shown = this.shown.includes(template) ? this.shown.filter((each) => each !== template) : [...this.shown, template].slice(-SIDE_BY_SIDE);
    for (const one of this.facts.querySelectorAll("[data-template]")) one.setAttribute("aria-pressed", String(this.shown.includes(Number(one.dataset.template))));
    this.looking.hidden = !this.shown.length;
    if (!this.shown.length) return;
    try {
      const sequences = await Promise.all(this.shown.map((each) => api.get(`${this.where}/templates/${each}/skeleton`)));
      await this.player.load(sequences.map((sequence, place) => ({ sequence, name: `Template ${this.shown[place]}` })));
      await this.#judge(sequences.at(-1), this.shown.at(-1));
    } catch (problem) {
      fill(this.told, problem.status === 403 ? note("", "Your key may not see skeletons: that takes the scope ", h("code", {}, "investigate"), ".") : failed(problem));
    }
  }

  /** The quality of a template's sequence, judged as it would be today. */
  async #judge(sequence, template) {
    const [{ words }, answer] = await Promise.all([skeletons(), api.post("/sequences", { sequence })]);
    const [one] = found(answer);
    fill(this.told, h("h2", {}, `Quality of template ${template}`), one?.quality ? qualityOf(one.quality, words, one.notes) : h("p", { class: "muted" }, "Not judged."),
      h("p", { class: "small muted" }, many(sequence.joints.length, "frame"), ` of ${sequence.layout}. That it was shown is in the audit log.`));
  }

  async #copy() {
    try {
      save(`${this.name}.zip`, await api.get(`${this.where}/copy`));
    } catch (problem) {
      toast(inWords(problem), { tone: "bad" });
    }
  }
}
