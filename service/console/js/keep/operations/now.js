// How the process is doing: asked again and again, drawn over time.
import { api } from "../../api.js";
import { bytes, count, duration } from "../../format.js";
import { history } from "../../history.js";
import { fill, h, inWords, note } from "../../ui.js";
import { number } from "../../rates.js";
import { mainRoute, measured } from "./measured.js";
import { decisions, galleries, models, queues, routes } from "./tables.js";

const EVERY_MS = 2000;
const milliseconds = (value) => (value ? duration(value / 1000) : "0");

const PANELS = [
  { title: "Requests a second", about: "Answered, and failed.", format: number, series: [{ name: "answered", label: "answered", tone: 1, fill: true }, { name: "failed", label: "failed", tone: 2 }] },
  { title: "Time of an answer", about: "Quantiles of the latest answers of one route.", format: milliseconds, series: [{ name: "p50", label: "p50", tone: 1 }, { name: "p95", label: "p95", tone: 3 }, { name: "p99", label: "p99", tone: 2 }] },
  { title: "Waiting", about: "Requests that wait for a batch.", format: number, series: [{ name: "encode", label: "encoder", tone: 1 }, { name: "search", label: "search", tone: 3 }, { name: "classify", label: "classifier", tone: 4 }] },
  { title: "Batch size", about: "Mean number of requests in a batch.", format: number, series: [{ name: "encode_items", label: "encoder", tone: 1 }, { name: "search_items", label: "search", tone: 3 }, { name: "classify_items", label: "classifier", tone: 4 }] },
];

export async function nowView(root) {
  const first = { at: Date.now() / 1000, ...(await api.get("/operations")) };
  const route = mainRoute(first);
  const panels = PANELS.map((panel) => history(panel.series[0].name === "p50" ? { ...panel, title: `Time of ${route}` } : panel));
  const [top, tables, wrong] = [h("div", { class: "stack" }), h("div", { class: "stack wide" }), h("div", { "aria-live": "polite" })];
  const open = await api.get("/models");
  let before = null;
  const show = (now) => {
    const values = measured(before, now, route);
    panels.forEach((panel) => panel.add(now.at, values));
    before = now;
    fill(top, figures(now));
    fill(tables, galleries(now), routes(now), queues(now), decisions(now), models(open));
  };
  const look = async () => show({ at: Date.now() / 1000, ...(await api.get("/operations")) });
  show(first);
  fill(root, wrong, top, h("div", { class: "panels" }, panels.map(({ node }) => h("section", { class: "panel" }, node))), tables);
  const turning = setInterval(async () => {
    if (document.hidden) return;
    try {
      await look();
      fill(wrong);
    } catch (problem) {
      fill(wrong, note("bad", `No news for a while: ${inWords(problem)}`));
    }
  }, EVERY_MS);
  return () => {
    clearInterval(turning);
    panels.forEach((panel) => panel.end());
  };
}

function figures(now) {
  const one = (name, value, more = null) => h("div", { class: "figure" }, h("dt", {}, name), h("dd", {}, h("b", {}, value), more ? h("small", {}, more) : null));
  const wrong = Object.entries(now.checks).filter(([, state]) => state !== "ok");
  return [
    wrong.map(([name, state]) => note("bad", h("strong", {}, `${name}: `), state)),
    h("section", { class: "panel", "aria-label": "This process" }, h("dl", { class: "figures" },
      one("Ready", now.ready ? "yes" : "no", now.phase), one("Up", lasted(now.uptime_seconds), `version ${now.version}`),
      one("Being answered", count(now.inside), now.listeners ? `${count(now.listeners)} listening to events` : null),
      one("Memory", bytes(now.process.memory_bytes), `${count(now.process.threads)} threads`),
      one("Processor time", lasted(now.process.cpu_seconds), `${count(now.process.open_files)} open files`))),
  ];
}

/** Seconds as the two largest units: 3 d 4 h. */
export function lasted(total) {
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = units.findIndex(([, length]) => total >= length);
  if (first < 0) return `${Number(total.toFixed(1))} s`;
  let left = total;
  return units.slice(first, first + 2).map(([unit, length]) => {
    const whole = Math.floor(left / length);
    left -= whole * length;
    return whole || unit === units[first][0] ? `${whole} ${unit}` : "";
  }).filter(Boolean).join(" ");
}
