// Measure a gallery's calibration again, or forget it.
import { api } from "../api.js";
import { percent } from "../format.js";
import { confirm, dialog, field, h, inWords, select, toast } from "../ui.js";
import { finished } from "./jobs.js";

const RATES = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];

/** Ask for what is to be measured, measure it, and call `done` when the gallery has it. */
export async function measureDialog(gallery, before, done) {
  const rate = select(RATES.map((each) => [String(each), percent(each)]), { value: String(before?.target_fpir ?? 0.05) });
  const session = h("input", { class: "input", autocomplete: "off", placeholder: "session" });
  const by = h("input", { class: "input", autocomplete: "off", placeholder: "view, condition" });
  const wrong = h("p", { class: "small", role: "alert" });
  const progress = h("progress", { hidden: true, "aria-label": "Progress" });
  const run = async () => {
    progress.hidden = false;
    wrong.textContent = "";
    try {
      await measured(gallery.name, asked(rate, session, by), progress);
      return true;
    } catch (problem) {
      progress.hidden = true;
      wrong.textContent = inWords(problem);
      return false;
    }
  };
  const made = await dialog({
    title: `Calibrate ${gallery.name}`,
    body: [
      h("p", { class: "muted" }, "Each subject is left out in turn: its templates are a stranger's searches of the others, and mates' of its own templates of other sessions."),
      field("Hold strangers let through to", rate), field("Label that tells one session from another", session),
      field("Measure each value of these labels by itself", by), progress, wrong,
    ],
    actions: [{ label: "Cancel", value: false }, { label: "Calibrate", value: true, class: "first", run }],
  });
  if (!made) return;
  toast(`${gallery.name} is calibrated on its own subjects.`);
  await done();
}

function asked(rate, session, by) {
  const labels = by.value.split(",").map((each) => each.trim()).filter(Boolean);
  return { target_fpir: Number(rate.value), by: labels, ...(session.value.trim() ? { session: session.value.trim() } : {}) };
}

async function measured(name, body, progress) {
  const answer = await api.post(api.path`/galleries/${name}/calibration`, body);
  if (answer.calibration === undefined) await finished(answer, progress);
}

export async function forget(gallery, done) {
  const sure = await confirm(`Forget the calibration of ${gallery.name}?`,
    "Its answers will rest on the calibration that came with the bundle, which was measured on other people.", { yes: "Forget it" });
  if (!sure) return;
  await api.del(api.path`/galleries/${gallery.name}/calibration`);
  await done();
}
