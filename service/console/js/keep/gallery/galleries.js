// Galleries come and go.
import { api } from "../../api.js";
import { dialog, field, h, inWords, toast } from "../../ui.js";

/** Ask for a gallery and make it; made(name). */
export async function newGallery(made) {
  const name = h("input", { class: "input", required: true, maxlength: "128", autocomplete: "off", autofocus: true });
  const days = h("input", { class: "input", type: "number", min: "1", max: "3650", placeholder: "keep none", inputmode: "numeric" });
  const hidden = h("input", { type: "checkbox" });
  const wrong = h("p", { class: "small", role: "alert" });
  const run = async () => {
    try {
      await api.post("/galleries", { name: name.value.trim(), protected: hidden.checked, ...(days.value ? { vault_days: Number(days.value) } : {}) });
      return true;
    } catch (problem) {
      name.setAttribute("aria-invalid", "true");
      wrong.textContent = inWords(problem);
      return false;
    }
  };
  const yes = await dialog({
    title: "New gallery",
    body: [
      field("Name", name), field("Keep skeletons for so many days", days),
      h("p", { class: "small muted" }, "Kept skeletons let the encoder be changed without enrolling everybody again, and let a candidate be shown beside a probe. They are sealed."),
      field("Store and search embeddings under a secret transform", hidden, { beside: true }), wrong,
    ],
    actions: [{ label: "Cancel", value: false }, { label: "Make it", value: true, class: "first", run }],
  });
  if (yes) made(name.value.trim());
}

/** Delete a gallery, after its name was typed. */
export async function deleteGallery(gallery, gone) {
  const yes = await typed({
    title: `Delete ${gallery.name}?`, name: gallery.name, yes: "Delete the gallery",
    text: `All ${gallery.subjects} subjects and ${gallery.templates} templates of it are erased for good.`,
    run: () => api.del(api.path`/galleries/${gallery.name}`),
  });
  if (!yes) return;
  toast(`${gallery.name} is deleted.`);
  gone();
}

/** Ask before what cannot be undone: the name must be typed. Resolves to the answer of run(), null if it was not done. */
export async function typed({ title, text, name, yes, run }) {
  const input = h("input", { class: "input", autocomplete: "off", autofocus: true, spellcheck: "false" });
  const wrong = h("p", { class: "small", role: "alert" });
  let answer = null;
  const done = await dialog({
    title,
    body: [h("p", {}, text), field(`Type ${name} to go on`, input), wrong],
    actions: [{ label: "Cancel", value: false }, { label: yes, value: true, class: "danger", run: async () => {
      if (input.value.trim() !== name) {
        wrong.textContent = "That is another name.";
        input.setAttribute("aria-invalid", "true");
        return false;
      }
      try {
        answer = (await run()) ?? true;
        return true;
      } catch (problem) {
        wrong.textContent = inWords(problem);
        return false;
      }
    } }],
  });
  return done ? answer : null;
}
