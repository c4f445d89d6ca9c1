// What pages are made of: elements, tables, dialogs, and the states in which there is nothing to show yet.
import { icon } from "./icons.js";
import { inWords, passing, sentence } from "./problems.js";

export { inWords };

/**
 * An element. attrs: `class`, `dataset` and `style` (objects), `on…` (listeners), properties such as `value` and
 * `checked`, everything else as an attribute; null, undefined and false leave it out. Children: nodes, texts, arrays.
 */
export function h(tag, attrs = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs ?? {})) set(element, name, value);
  return append(element, children);
}

const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "hidden", "indeterminate", "open"]);

function set(element, name, value) {
  if (value === null || value === undefined) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (name === "style") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
  else if (PROPERTIES.has(name)) element[name] = value;
  else if (value === true) element.setAttribute(name, "");
  else if (value !== false || name.startsWith("aria-"))
    element.setAttribute(name === "className" ? "class" : name, value);
}

/** Append children as `h` takes them. */
export function append(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child);
  }
  return element;
}

/** Replace what is in an element. */
export function fill(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

/** A button. attrs: as of `h`, and `icon`; without a label give `aria-label` (it becomes the tooltip, too). */
export function button(label, { icon: drawing, class: more = "", ...attrs } = {}) {
  const bare = label ? "" : " icon";
  return h(
    "button",
    { type: "button", class: `button${bare} ${more}`, title: label ? null : attrs["aria-label"], ...attrs },
    drawing ? icon(drawing) : null,
    label || null,
  );
}

let fields = 0;

/** An input under its label. control: the element. */
export function field(label, control, { beside = false } = {}) {
  control.id ||= `field-${++fields}`;
  return h("div", { class: beside ? "field beside" : "field" }, h("label", { for: control.id }, label), control);
}

/** A select. options: values, or [value, label] pairs. */
export function select(options, { value, ...attrs } = {}) {
  const made = h(
    "select",
    { class: "input", ...attrs },
    options.map((each) => {
      const [key, label] = Array.isArray(each) ? each : [each, each];
      return h("option", { value: key, selected: key === value }, label);
    }),
  );
  return made;
}

/** Buttons of which one is pressed. options: [value, label] pairs. onchange gets the value. */
export function choices(label, options, { value, onchange }) {
  const buttons = options.map(([key, text]) =>
    h(
      "button",
      {
        type: "button",
        "aria-pressed": String(key === value),
        dataset: { value: key },
        onclick() {
          group.choose(key);
          onchange?.(key);
        },
      },
      text,
    ),
  );
  const group = h("div", { class: "choices", role: "group", "aria-label": label }, buttons);
  group.choose = (key) =>
    buttons.forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.value === String(key))));
  return group;
}

/**
 * A table. columns: {key, label, number?, row? (it names the row), render?(row) → child}. empty: what to say instead
 * of no rows, or [title, text]. mark(row, tr): to add classes or listeners.
 */
export function table({ caption, columns, rows, empty = "There is nothing here yet.", mark, hideCaption = false }) {
  if (!rows.length) return nothing(...(Array.isArray(empty) ? empty : [caption, empty]));
  const cell = (column, row) => {
    const content = column.render ? column.render(row) : row[column.key];
    const attrs = { class: column.number ? "number" : null };
    return column.row ? h("th", { scope: "row", ...attrs }, content) : h("td", attrs, content ?? "–");
  };
  const body = rows.map((row) => {
    const line = h(
      "tr",
      {},
      columns.map((column) => cell(column, row)),
    );
    mark?.(row, line);
    return line;
  });
  const heads = columns.map((column) =>
    h("th", { scope: "col", class: column.number ? "number" : null }, column.label),
  );
  return h(
    "div",
    { class: "table-frame", role: "region", "aria-label": caption, tabindex: "0" },
    h(
      "table",
      { class: "table" },
      h("caption", { class: hideCaption ? "only-read" : null }, caption),
      h("thead", {}, h("tr", {}, heads)),
      h("tbody", {}, body),
    ),
  );
}

/**
 * A dialog, opened. body: children. actions: [{label, value, class?, run?() → false keeps it open}]; a promise of the
 * value of the action taken, null when it was dismissed.
 */
export function dialog({ title, body, actions = [{ label: "Close", value: null }], wide = false }) {
  const { promise, resolve } = withResolvers();
  let answer = null;
  let busy = false; // what was asked for is asked for once, however often it is pressed
  const once = async (run) => {
    busy = true;
    buttons.at(-1).setAttribute("aria-disabled", "true");
    try {
      return (await run()) !== false;
    } finally {
      busy = false;
      buttons.at(-1).removeAttribute("aria-disabled");
    }
  };
  const buttons = actions.map((action, place) =>
    button(action.label, {
      class: action.class ?? (place === actions.length - 1 && actions.length > 1 ? "first" : ""),
      type: place === actions.length - 1 ? "submit" : "button",
      async onclick(event) {
        event.preventDefault();
        if (action.run && (busy || !element.firstChild.reportValidity() || !(await once(action.run)))) return;
        answer = action.value;
        element.close();
      },
    }),
  );
  const name = `dialog-${++fields}`;
  const element = h(
    "dialog",
    { class: wide ? "dialog wide" : "dialog", "aria-labelledby": name },
    h("form", { method: "dialog" }, h("h2", { id: name }, title), body, h("div", { class: "actions" }, buttons)),
  );
  element.addEventListener("close", () => {
    element.remove();
    resolve(answer);
  });
  document.body.append(element);
  element.showModal();
  return promise;
}

/** Ask before something that cannot be undone; true if it is to be done. */
export const confirm = (title, text, { yes = "Go on", danger = true } = {}) =>
  dialog({
    title,
    body: h("p", {}, text),
    actions: [
      { label: "Cancel", value: false },
      { label: yes, value: true, class: danger ? "danger" : "first" },
    ],
  }).then(Boolean);

/** Say something for some seconds. tone: "good" or "bad" (which stays until it is closed). */
export function toast(text, { tone = "good" } = {}) {
  const box =
    document.querySelector(".toasts") ??
    document.body.appendChild(h("div", { class: "toasts", role: "status", "aria-live": "polite" }));
  for (const same of box.children) if (same.dataset.text === text) same.remove();
  const one = h(
    "div",
    { class: `toast ${tone}`, dataset: { text } },
    h("p", {}, sentence(text)),
    button("", { icon: "close", class: "plain", "aria-label": "Close this message", onclick: () => one.remove() }),
  );
  box.append(one);
  if (tone !== "bad") setTimeout(() => one.remove(), 6000);
}

/** Grey lines where an answer will be. */
export const waiting = (lines = 4, label = "Loading") =>
  h(
    "div",
    { class: "waiting", role: "status", "aria-label": label },
    Array.from({ length: lines }, () => h("i")),
  );
export { waiting as skeleton };

/** There is nothing here, why, and perhaps what to do about it. */
export const nothing = (title, text, action = null) =>
  h("div", { class: "nothing" }, h("h2", {}, title), h("p", { class: "muted" }, text), action);
export { nothing as empty };

/** What went wrong, in words, and a way to try again. */
export function failed(problem, again = null) {
  return h(
    "div",
    { class: "note bad", role: "alert" },
    icon("warn"),
    h(
      "div",
      { class: "stack tight" },
      h("p", {}, h("strong", {}, problem.title ?? "Something went wrong")),
      h("p", {}, sentence(inWords(problem))),
      again && passing(problem) ? h("div", {}, button("Try again", { onclick: again })) : null,
    ),
  );
}
export { failed as error };

/** A note. tone: "", "warn" or "bad". */
export const note = (tone, ...children) =>
  h("div", { class: `note ${tone}` }, icon(tone ? "warn" : "info"), h("div", {}, children));

function withResolvers() {
  let resolve;
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
