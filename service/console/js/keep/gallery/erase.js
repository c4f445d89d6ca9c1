// Erasure, and the receipt that proves it.
import { api } from "../../api.js";
import { many, moment } from "../../format.js";
import { button, dialog, fill, h } from "../../ui.js";
import { typed } from "./galleries.js";

const EVERY_MS = 2000;

/** Erase a subject after its id was typed; gone() is called when the receipt is closed. */
export async function eraseSubject(gallery, subject, gone) {
  const erased = await typed({
    title: `Erase ${subject}?`, name: subject, yes: "Erase for good",
    text: "No answer names this subject from then on, in no process. Its data key is destroyed, and with it every template, skeleton and note. This cannot be undone.",
    run: () => api.del(api.path`/galleries/${gallery}/subjects/${subject}`),
  });
  if (!erased) return;
  await receipt(erased);
  gone();
}

/** Erase one template. */
export async function eraseTemplate(gallery, subject, template, last, gone) {
  const erased = await typed({
    title: `Erase template ${template}?`, name: String(template), yes: "Erase for good",
    text: last ? `It is the last one of ${subject}, who goes with it.` : `${subject} keeps the other templates.`,
    run: () => api.del(api.path`/galleries/${gallery}/subjects/${subject}/templates/${template}`),
  });
  if (!erased) return;
  await receipt(erased);
  gone(last);
}

/** What was erased, how far it has come, and the signed receipt to be kept. */
async function receipt(erased) {
  let current = erased.receipt;
  const state = h("dl", { class: "facts" });
  const text = h("pre", { class: "receipt", tabindex: "0", "aria-label": "Signed receipt" });
  const draw = () => {
    fill(state, fact("Templates", many(erased.templates, "template")), fact("State", h("span", { class: current.state === "destroyed" ? "tag good" : "tag warn" }, current.state)),
      fact("Erasure", h("code", {}, erased.erasure)), current.at ? fact("Withheld since", moment(current.at)) : null);
    text.textContent = JSON.stringify(current, null, 2);
  };
  draw();
  const looking = setInterval(async () => {
    if (current.state === "destroyed") return;
    try {
      current = (await api.get(api.path`/erasures/${erased.erasure}`, { quiet: true })).receipt;
      draw();
    } catch { /* it is asked again */ }
  }, EVERY_MS);
  await dialog({
    title: `${erased.subject} is erased`,
    wide: true,
    body: [
      h("p", {}, "Gone from every answer. Within a minute what may still hold it (snapshots, the database's own log) is destroyed as well."),
      state, h("details", {}, h("summary", {}, "The receipt"), text),
      h("div", {}, button("Download the receipt", { icon: "download", onclick: () => save(`erasure-${erased.erasure}.json`, JSON.stringify(current, null, 2)) })),
    ],
  });
  clearInterval(looking);
}

const fact = (name, value) => [h("dt", {}, name), h("dd", {}, value)];

/** Give a text or a Blob to the browser as a file. */
export function save(name, content) {
  const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type: "application/json" }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
