import { api } from "../js/api.js";
import { icon } from "../js/icons.js";
import { coveragePanel } from "../js/keep/gallery/coverage.js";
import { enrollPanel } from "../js/keep/gallery/enroll.js";
import { contents, MOST } from "../js/keep/gallery/contents.js";
import { deleteGallery, newGallery } from "../js/keep/gallery/galleries.js";
import { subjectView } from "../js/keep/gallery/subject.js";
import { subjectList } from "../js/keep/gallery/subjects.js";
import { allGalleries, chosen, galleryChoice, noGallery } from "../js/keep/gallery-choice.js";
import { count, day } from "../js/format.js";
import { dropping } from "../js/source.js";
import { button, failed, fill, h, note, nothing, waiting } from "../js/ui.js";

export const title = "Gallery";

export async function mount(root, context) {
  const galleries = await allGalleries(api);
  if (!root.isConnected) return undefined; // the head is another page's by now
  const gallery = chosen(galleries, context.params);
  const make = () => newGallery((name) => context.go(`#/gallery?gallery=${encodeURIComponent(name)}`));
  if (!gallery) {
    noGallery(root, galleries, { ...context, page: "gallery" }, button("New gallery", { class: "first", onclick: make }));
    return undefined;
  }
  galleryChoice(galleries, gallery, { ...context, page: "gallery" });
  const subject = context.params.path[0];
  if (subject) return subjectView(root, context, gallery, subject);
  return overview(root, context, gallery, make);
}

/** Everybody in a gallery, and who is missing what. */
async function overview(root, context, gallery, make) {
  const enrolling = enrollPanel(gallery, () => load());
  const opening = button("Enroll files", { class: "first", icon: "upload", "aria-expanded": "false", onclick: () => enrolling.open() });
  const closeDrop = dropping((files) => enrolling.read(files));
  context.controls.append(button("New gallery", { onclick: make }), opening);
  const inside = h("div", { class: "stack wide" }, waiting(6));
  fill(root, h("div", { class: "stack wide" }, enrolling.node, inside));
  async function load() {
    try {
      const now = await api.get(api.path`/galleries/${gallery.name}`);
      const found = await contents(gallery.name);
      if (!found.subjects.length) {
        fill(inside, figures(now), h("section", { class: "panel" }, nothing("Nobody is enrolled", "Drop keypoint files anywhere on this page, or choose them.",
          button("Enroll files", { icon: "upload", onclick: () => enrolling.open() }))), foot(now, context));
        return;
      }
      const list = subjectList(now, found);
      fill(inside, figures(now), found.whole ? null : note("", `These are the first ${count(MOST)} templates and subjects of it.`),
        found.templates.length ? coveragePanel(found, list.missing) : null, list.node, foot(now, context));
    } catch (problem) {
      fill(inside, problem.status === 403 ? [figures(gallery), note("", "Your key may not see who is enrolled: that takes the scope ", h("code", {}, "enroll"), " or ", h("code", {}, "manage"), ".")] : failed(problem, load));
    }
  }
  await load();
  return closeDrop;
}

function figures(gallery) {
  const one = (name, value, more = null) => h("div", { class: "figure" }, h("dt", {}, name), h("dd", {}, h("b", {}, value), more ? h("small", {}, more) : null));
  const held = gallery.vault_days === null ? ["none kept", "without a vault"] : [`${gallery.vault_days} days`, "skeletons are kept, sealed"];
  return h("section", { class: "panel", "aria-label": "This gallery" }, h("dl", { class: "figures" },
    one("Subjects", count(gallery.subjects)), one("Templates", count(gallery.templates)), one("Vault", ...held),
    one("Embeddings", gallery.protected ? "protected" : "plain space", gallery.protected ? "under a secret transform" : "sealed at rest"),
    one("Since", day(gallery.created), h("span", { title: gallery.bundle }, "bundle ", h("code", {}, gallery.bundle.slice(0, 10))))));
}

function foot(gallery, { go }) {
  const doctor = h("p", { class: "small muted" }, h("code", {}, `gaitkeeper gallery doctor ${gallery.name}`), " finds people enrolled twice, templates under a wrong name, and whom everybody matches.");
  return h("div", { class: "row apart" }, doctor, h("a", { href: `#/calibration?gallery=${encodeURIComponent(gallery.name)}` }, "Calibration of this gallery"),
    button("Delete this gallery…", { class: "danger", onclick: () => deleteGallery(gallery, () => go("#/gallery")) }, icon("trash")));
}

