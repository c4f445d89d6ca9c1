// Shortcuts of the player. They work wherever one is on the page, unless somebody types or has turned that off.
import { dialog, h } from "../ui.js";

const NAME = "gaitkeeper.shortcuts";

export const SHORTCUTS = [
  [["Space", "K"], "play or pause"],
  [["←", "→"], "one frame back or on"],
  [["Shift ←", "Shift →"], "ten frames"],
  [["Home", "End"], "to the start or the end"],
  [["−", "+"], "slower or faster"],
  [["M"], "mirror"],
  [["C"], "confidence as heat"],
  [["T"], "trails of hands and feet"],
  [["F"], "follow the body"],
  [["D"], "3-D"],
  [["A", "S", "W", "X"], "turn the 3-D view"],
  [["R"], "the view as it was"],
  [["I"], "in step"],
  [["O"], "one over the other"],
  [["?"], "this list"],
];

const everywhere = () => {
  try {
    return localStorage.getItem(NAME) !== "off";
  } catch {
    return true;
  }
};

/** do_: actions by key (`event.key`, lower case). Returns a function that stops listening. */
export function listen(element, actions) {
  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const target = event.target;
    const inside = element.contains(target);
    if (!inside && !everywhere()) return;
    const typing = target.closest?.("input:not([type=range]), select, textarea, [contenteditable]");
    const presses = event.key === " " && target.closest?.("button, a, summary, [role=button], [role=option]");
    const scrolls =
      !inside &&
      /^(Arrow|Home|End)/.test(event.key) &&
      target.closest?.(".table-frame, .choices, [role=listbox], [role=radiogroup], input");
    if (typing || presses || scrolls) return;
    const action = actions[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action(event);
  };
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}

/** more: shortcuts of the page, [[keys], what they do]. */
export function showShortcuts(more = []) {
  const box = h("input", {
    type: "checkbox",
    id: "shortcuts-everywhere",
    checked: everywhere(),
    onchange() {
      try {
        localStorage.setItem(NAME, box.checked ? "on" : "off");
      } catch {
        /* until the tab ends */
      }
    },
  });
  return dialog({
    title: "Keys",
    body: [
      h(
        "dl",
        { class: "keys" },
        [...more, ...SHORTCUTS].map(([keys, what]) => [
          h(
            "dt",
            {},
            keys.map((key) => h("span", { class: "kbd" }, key)),
          ),
          h("dd", {}, what),
        ]),
      ),
      h(
        "div",
        { class: "row" },
        box,
        h("label", { for: "shortcuts-everywhere" }, "Keys work anywhere on the page, not only in the player"),
      ),
    ],
  });
}
