// The frame and the router: #/page/segment?name=value shows pages/page.js.
import { api } from "./api.js";
import { icon } from "./icons.js";
import { whoIsThere } from "./signin.js";
import { themeChoice } from "./theme.js";
import { button, failed, fill, h, nothing, waiting } from "./ui.js";

const PAGES = [
  [
    "Look",
    [
      ["identify", "Identify"],
      ["classify", "Classify"],
      ["live", "Live"],
    ],
  ],
  [
    "Keep",
    [
      ["gallery", "Gallery"],
      ["calibration", "Calibration"],
      ["evaluation", "Evaluation"],
    ],
  ],
  ["Run", [["operations", "Operations"]]],
];
const LABELS = new Map(PAGES.flatMap(([, pages]) => pages));

const heading = h("h1", { tabindex: "-1" });
const controls = h("div", { class: "controls" });
const root = h("div", { class: "page" });
const main = h("main", { id: "main", tabindex: "-1" }, h("div", { class: "page-head" }, heading, controls), root);
const rail = h("header", { class: "rail" });
let leave = () => {};
let shown = null;
let turn = 0;

function draw() {
  const menu = button("", {
    icon: "menu",
    class: "menu",
    "aria-label": "Pages",
    "aria-expanded": "false",
    "aria-controls": "pages",
    onclick: () => open(!("open" in rail.dataset)),
  });
  const open = (yes) => {
    if (yes) rail.dataset.open = "";
    else delete rail.dataset.open;
    menu.setAttribute("aria-expanded", String(yes));
  };
  const links = PAGES.map(([part, pages]) => [
    h("li", { class: "part" }, part),
    pages.map(([name, label]) =>
      h(
        "li",
        {},
        h("a", { href: `#/${name}`, dataset: { page: name }, onclick: () => open(false) }, icon(name), label),
      ),
    ),
  ]);
  rail.append(
    h("a", { class: "brand", href: "#/identify" }, h("img", { src: "icon.svg", alt: "" }), "gaitkeeper"),
    menu,
    h("nav", { id: "pages", "aria-label": "Pages" }, h("ul", {}, links)),
    h(
      "div",
      { class: "foot" },
      whoIsThere(),
      themeChoice(),
      h("a", { class: "button plain", href: "../docs" }, "API documentation"),
    ),
  );
  document.body.append(button("Skip to the page", { class: "skip", onclick: () => heading.focus() }), rail, main);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") open(false);
  });
  document.addEventListener("signed", () => show(true));
}

/** Where the address points: the page's name, and its params: a URLSearchParams with the segments as `path`. */
function place() {
  const [segments, question = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name = "", ...rest] = segments.split("/").filter(Boolean).map(decoded);
  return { name: name || "identify", params: Object.assign(new URLSearchParams(question), { path: rest }) };
}

function decoded(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

async function show(again = false) {
  const { name, params } = place();
  const mine = ++turn;
  const arrived = shown !== null && shown !== name;
  await leave();
  leave = () => {};
  for (const link of rail.querySelectorAll("nav a")) {
    if (link.dataset.page === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  fill(controls);
  head(LABELS.get(name) ?? "Not here"); // at once: what is waited for has a name
  if (arrived || again || shown === null) fill(root, waiting(5));
  shown = name;
  try {
    if (!LABELS.has(name)) throw Object.assign(new Error("no such page"), { missing: true });
    const page = await import(`../pages/${name}.js`).catch(unreachable);
    if (mine !== turn) return;
    const own = h("div", { class: `page-${name}` });
    fill(root, own);
    const context = {
      api,
      params,
      go: (hash) => {
        location.hash = hash;
      },
      controls,
    };
    const unmount = await page.mount(own, context);
    if (mine === turn) leave = unmount ?? (() => {});
    else await unmount?.();
  } catch (error) {
    if (mine !== turn) return;
    fill(
      root,
      error.missing
        ? nothing(
            "There is no such page",
            "The address may be mistyped.",
            h("a", { class: "button", href: "#/identify" }, "To Identify"),
          )
        : failed(error, () => show(true)),
    );
  }
  if (arrived) heading.focus({ preventScroll: true });
}

/** A page's file that does not come is the service that does not answer; anything else is a fault of ours. */
function unreachable(error) {
  throw error instanceof TypeError ? api.Problem.none() : error;
}

function head(title) {
  heading.textContent = title;
  document.title = `${title} · gaitkeeper`;
}

draw();
addEventListener("hashchange", () => {
  scrollTo(0, 0);
  show();
});
show();
