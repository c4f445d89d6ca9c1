// Which gallery a page is about: chosen once, kept in the address and for the next page.
import { field, select } from "../ui.js";

const NAME = "gaitkeeper.gallery";

/** All galleries that the caller reaches. */
export async function allGalleries(api) {
  const found = [];
  for await (const page of api.pages("/galleries")) found.push(...page.galleries);
  return found;
}

/** The one that the address names, or that was looked at last, or the first; undefined where there is none. */
export function chosen(galleries, params) {
  const wanted = params.get("gallery") ?? remembered();
  return galleries.find((each) => each.name === wanted) ?? galleries[0];
}

/** A select in the page's head that goes to another gallery. */
export function galleryChoice(galleries, current, { page, go, controls }) {
  const names = galleries.map((each) => [each.name, each.name]);
  const choice = select(names, { value: current.name, onchange: () => to(choice.value, page, go) });
  controls.prepend(field("Gallery", choice, { beside: true }));
  remember(current.name);
}

function to(name, page, go) {
  remember(name);
  go(`#/${page}?gallery=${encodeURIComponent(name)}`);
}

function remembered() {
  try { return sessionStorage.getItem(NAME); } catch { return null; }
}

function remember(name) {
  try { sessionStorage.setItem(NAME, name); } catch { /* then the first gallery is shown */ }
}
