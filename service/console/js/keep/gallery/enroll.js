// Enrolling files: each is read and judged first, then enrolled or refused with the reason, one after another.
import { api } from "../../api.js";
import { many } from "../../format.js";
import { skeletons } from "../../player/skeletons.js";
import { found } from "../../source.js";
import { ofFile } from "../../problems.js";
import { inOtherWords } from "../../decision.js";
import { button, field, fill, h, inWords, table } from "../../ui.js";
import { consentInputs } from "./consent.js";

const STATES = {
  ready: ["", "ready"], unusable: ["bad", "refused"], working: ["", "enrolling…"], enrolled: ["good", "enrolled"], repeated: ["", "was there already"],
  refused: ["bad", "refused"], duplicate: ["warn", "looks like another"],
};

/** {node, open(), read(files)}. changed() is called when somebody was enrolled. */
export function enrollPanel(gallery, changed) {
  const panel = new EnrollPanel(gallery, changed);
  return { node: panel.node, open: () => panel.open(), read: (files) => panel.read(files) };
}

class EnrollPanel {
  constructor(gallery, changed) {
    Object.assign(this, { gallery, changed, items: [], busy: false });
    this.file = h("input", { type: "file", multiple: true, class: "only-read", tabindex: "-1", "aria-hidden": "true", onchange: () => { this.read([...this.file.files]); this.file.value = ""; } });
    this.subject = h("input", { class: "input", autocomplete: "off", maxlength: "128", placeholder: "from the file's name" });
    this.labels = h("input", { class: "input", autocomplete: "off", placeholder: "view=090, condition=nm" });
    this.consent = consentInputs();
    this.list = h("div", { class: "stack tight" });
    this.progress = h("progress", { hidden: true, "aria-label": "Enrolled so far" });
    this.said = h("p", { class: "small", "aria-live": "polite" });
    this.go = button("Enroll", { class: "first", disabled: true, onclick: () => this.enroll() });
    this.subject.addEventListener("input", () => this.#draw());
    this.node = this.#panel();
  }

  #panel() {
    const opening = button("Choose files…", { icon: "upload", onclick: () => this.file.click() });
    return h("section", { class: "panel stack", hidden: true, "aria-label": "Enroll files" },
      h("div", { class: "row apart" }, h("h2", {}, `Enroll into ${this.gallery.name}`), button("", { icon: "close", class: "plain", "aria-label": "Close enrolling", onclick: () => { this.node.hidden = true; } })),
      h("div", { class: "drop" }, h("p", {}, h("strong", {}, "Drop keypoint files here")), h("p", { class: "muted small" }, "Any format that Identify reads. Each person in a file becomes a template."), opening, this.file),
      h("div", { class: "fields" }, field("Subject", this.subject), field("Labels", this.labels)),
      h("details", {}, h("summary", {}, "Consent"), h("div", { class: "fields" }, this.consent.fields)),
      this.list, h("div", { class: "row" }, this.go, this.progress, this.said));
  }

  open() {
    this.node.hidden = false;
    this.subject.focus();
    this.node.scrollIntoView({ block: "nearest" });
  }

  /** Read files, one request each, so that one that cannot be read spoils no other. */
  async read(files) {
    if (!files.length) return;
    this.open();
    const { words: meanings } = await skeletons();
    this.meanings = meanings;
    this.said.textContent = `Reading ${many(files.length, "file")}…`;
    for (const file of files) {
      const form = new FormData();
      form.append("file", file, file.name);
      try {
        for (const track of found(await api.upload("/sequences", form))) this.items.push(this.#item(file.name, track));
      } catch (problem) {
        this.items.push({ file: file.name, name: file.name, state: "unusable", why: inWords(problem) });
      }
      this.#draw();
    }
    this.said.textContent = "";
  }

  #item(file, { name, sequence, quality, problem }) {
    if (problem || !sequence) return { file, name, state: "unusable", why: problem ? ofFile(problem, file) : "it holds no sequence" };
    const reasons = quality && !quality.usable ? quality.reasons.map((word) => inOtherWords(word, this.meanings)).join(" ") : "";
    return { file, name, sequence, frames: sequence.joints.length, advice: quality?.advice ?? [], state: reasons ? "unusable" : "ready", why: reasons };
  }

  #subjectOf(item) {
    return item.subject ?? (this.subject.value.trim() || item.file.replace(/\.[^.]*$/, ""));
  }

  #draw() {
    const waiting = this.items.filter((item) => item.state === "ready").length;
    this.go.disabled = this.busy || !waiting;
    this.go.textContent = waiting ? `Enroll ${many(waiting, "sequence")}` : "Enroll";
    if (!this.items.length) return fill(this.list);
    return fill(this.list, table({
      caption: "Sequences to enroll",
      hideCaption: true,
      columns: [
        { label: "Sequence", row: true, render: ({ name }) => h("span", { class: "long" }, name) },
        { label: "Subject", render: (item) => (item.state === "unusable" ? "–" : h("span", { class: "long" }, this.#subjectOf(item))) },
        { label: "Frames", number: true, render: ({ frames }) => frames ?? "–" },
        { label: "State", render: (item) => this.#state(item) },
      ],
      rows: this.items,
    }));
  }

  #state(item) {
    const [tone, text] = STATES[item.state];
    const why = item.why || (item.state === "ready" && item.advice?.length ? item.advice.map((word) => inOtherWords(word, this.meanings)).join(" ") : "");
    return [h("span", { class: `tag ${tone}` }, text), why ? h("p", { class: "detail" }, why) : null,
      item.state === "duplicate" ? [" ", button("Enroll anyway", { onclick: () => this.#again(item) })] : null];
  }

  async #again(item) {
    item.force = true;
    item.state = "ready";
    await this.enroll();
  }

  async enroll() {
    const chosen = this.items.filter((item) => item.state === "ready");
    const about = this.#about();
    if (!about) return;
    this.busy = true;
    Object.assign(this.progress, { hidden: false, max: chosen.length, value: 0 });
    for (const item of chosen) {
      item.subject = this.#subjectOf(item);
      item.state = "working";
      this.#draw();
      await this.#one(item, about);
      this.progress.value += 1;
    }
    this.busy = false;
    this.progress.hidden = true;
    this.#draw();
    const done = chosen.filter((item) => item.state === "enrolled").length;
    this.said.textContent = `${many(done, "sequence")} of ${chosen.length} enrolled.`;
    if (done) await this.changed();
  }

  /** What all of them get: labels and consent; null where the labels cannot be understood. */
  #about() {
    const pairs = this.labels.value.split(",").map((each) => each.trim()).filter(Boolean).map((each) => each.split("=").map((part) => part.trim()));
    const wrong = pairs.some((pair) => pair.length !== 2 || !pair[0] || !pair[1]);
    this.labels.setAttribute("aria-invalid", String(wrong));
    this.said.textContent = wrong ? "Labels are pairs such as view=090, condition=nm." : "";
    const consent = this.consent.value();
    return wrong ? null : { labels: Object.fromEntries(pairs), ...(consent ? { consent } : {}) };
  }

  async #one(item, about) {
    try {
      const answer = await api.post(api.path`/galleries/${this.gallery.name}/subjects/${item.subject}/templates`, { sequence: item.sequence, ...about, ...(item.force ? { force: true } : {}) });
      Object.assign(item, { state: answer.repeated ? "repeated" : "enrolled", why: "" });
    } catch (problem) {
      const duplicate = problem.kind === "duplicate-subject";
      const reasons = problem.reasons?.map((word) => inOtherWords(word, this.meanings)).join(" ");
      Object.assign(item, { state: duplicate ? "duplicate" : "refused", why: reasons || inWords(problem) });
    }
  }
}
