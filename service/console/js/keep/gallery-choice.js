// Which gallery a page is about: chosen once, kept in the address and for the next page.
import { remember } from "../place.js";
import { field, fill, nothing, select } from "../ui.js";

const NAME = "gaitkeeper.gallery";

/** All galleries that the caller reaches. */
export async function allGalleries(api) {
  const found = [];
  for await (const page of api.pages("/galleries")) found.push(...page.galleries);
  return found;
}

/** The one that the address names; without a name that which was looked at last, or the first. undefined: it is not there. */
export function chosen(galleries, params) {
  const named = (name) => galleries.find((each) => each.name === name);
  const wanted = params.get("gallery");
  return wanted === null ? (named(kept()) ?? galleries[0]) : named(wanted);
}

/** A select in the page's head that goes to another gallery. */
export function galleryChoice(galleries, current, { page, go, controls }) {
  const names = [...(current ? [] : [["", "Choose one…"]]), ...galleries.map((each) => [each.name, each.name])];
  const choice = select(names, { value: current?.name ?? "", onchange: () => choice.value && to(choice.value, page, go) });
  controls.prepend(field("Gallery", choice, { beside: true }));
  if (!current) return;
  remember({ gallery: current.name }); // the way back leads to this one, not to the one that is looked at then
  keep(current.name);
}

/** Where the gallery of the address is not there: never another one in its place. action: what can be done instead. */
export function noGallery(root, galleries, context, action = null) {
  const wanted = context.params.get("gallery");
  if (galleries.length) galleryChoice(galleries, null, context);
  fill(root, wanted
    ? nothing(`There is no gallery ${wanted}`, "It was deleted, its name is mistyped, or your key does not reach it.", action)
    : nothing("No gallery", "There is no gallery yet, or none that your key reaches.", action));
}

function to(name, page, go) {
  keep(name);
  go(`#/${page}?gallery=${encodeURIComponent(name)}`);
}

function kept() {
  try { return sessionStorage.getItem(NAME); } catch { return null; }
}

function keep(name) {
  try { sessionStorage.setItem(NAME, name); } catch { /* then the first gallery is shown */ }
}
