import { allGalleries, chosen, galleryChoice, noGallery } from "../js/keep/gallery-choice.js";
import { measureDialog, forget } from "../js/keep/calibrating.js";
import { detChart, scoreChart } from "../js/keep/calibration-charts.js";
import { about, byCondition, bySize } from "../js/keep/calibration-tables.js";
import { thresholdPanel } from "../js/keep/threshold.js";
import { api } from "../js/api.js";
import { button, fill, h, note, nothing } from "../js/ui.js";
import { many } from "../js/format.js";

export const title = "Calibration";

export async function mount(root, context) {
  const galleries = await allGalleries(api);
  if (!root.isConnected) return undefined; // the head is another page's by now
  const gallery = chosen(galleries, context.params);
  if (!gallery) {
    noGallery(root, galleries, { ...context, page: "calibration" });
    return undefined;
  }
  galleryChoice(galleries, gallery, { ...context, page: "calibration" });
  return show(root, context, gallery);
}

async function show(root, context, gallery) {
  const { calibration: own, prior } = await api.get(api.path`/galleries/${gallery.name}/calibration`);
  const again = () => show(root, context, gallery);
  const measure = () => measureDialog(gallery, own, again);
  const calibration = own ?? prior;
  if (!calibration) {
    fill(root, nothing("Not calibrated",
      `Nothing says which threshold of ${gallery.name} holds which rate: its answers abstain. Measured on the gallery's own people, they hold the rate that they say.`,
      button("Calibrate", { class: "first", onclick: measure })));
    return;
  }
  const facts = about(calibration, own ? { measure, forget: () => forget(gallery, again) } : { measure });
  fill(root, h("div", { class: "stack wide" }, own ? null : note("warn", h("strong", {}, "The bundle's calibration. "), PRIOR), remarks(gallery, calibration),
    calibration.curve?.length ? pictures(calibration, gallery, facts) : [facts, note("", OLDER)],
    bySize(calibration), byCondition(calibration)));
}

const PRIOR = "This gallery has none of its own, so its answers go by what was measured by the bundle's maker on other people. On yours it may let through many times what it says: calibrate on your own.";
const OLDER = "This calibration is of an older format, which keeps no curves. Measured again, it has them.";

/** The slider, and both charts that follow it. */
function pictures(calibration, gallery, facts) {
  const scores = calibration.histogram ? scoreChart(calibration) : null;
  const errors = detChart(calibration);
  const panel = thresholdPanel(calibration, gallery, (point) => {
    scores?.at(point);
    errors.at(point);
  });
  return [h("div", { class: "two-columns" }, panel, facts), h("div", { class: "two-columns even" },
    scores ? h("section", { class: "panel" }, scores.node) : null, h("section", { class: "panel" }, errors.node))];
}

/** What an operator should know before trusting the figures. */
function remarks(gallery, calibration) {
  const most = Math.max(...calibration.table.map((row) => row.subjects));
  if (gallery.subjects <= most / 0.9) return null;
  return note("warn", `Measured among ${many(most, "subject")}; the gallery has ${gallery.subjects} by now. Thresholds for it are carried on beyond what was measured: calibrate again.`);
}
