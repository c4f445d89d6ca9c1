// Light, dark, or as the system has it; and the tokens as colours that a canvas understands.
import { choices } from "./ui.js";

const NAME = "gaitkeeper.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

/** Fired on `document` when colours change: whatever draws on a canvas draws again. */
export const CHANGED = "theme";
const tell = () => {
  known.clear();
  document.dispatchEvent(new CustomEvent(CHANGED));
};
const known = new Map(); // resolving is slow, and players ask for every frame
dark.addEventListener("change", tell);

export function themeChoice() {
  const chosen = document.documentElement.dataset.theme ?? "auto";
  return choices(
    "Theme",
    [
      ["auto", "Auto"],
      ["light", "Light"],
      ["dark", "Dark"],
    ],
    { value: chosen, onchange: choose },
  );
}

function choose(value) {
  if (value === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = value;
  try {
    localStorage.setItem(NAME, value);
  } catch {
    /* it holds until the page is loaded again */
  }
  tell();
}

/** Resolved colours of tokens by their names without dashes: colours("left", "right").left → "rgb(22, 104, 199)". */
export function colours(...names) {
  const key = names.join();
  if (!known.has(key)) known.set(key, resolved(names));
  return known.get(key);
}

function resolved(names) {
  const probe = document.createElement("i");
  probe.hidden = true;
  document.body.append(probe);
  const found = {};
  for (const name of names) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

/** Whether movement that nobody asked for is to be left out. */
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
