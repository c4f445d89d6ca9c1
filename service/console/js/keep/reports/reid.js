// Re-identification by windows: ranks, mean average precision and mINP for each setting.
import { chart } from "../../chart.js";
import { percent } from "../../format.js";
import { between, number } from "../../rates.js";
import { linear, logarithmic } from "../../scale.js";
import { h, table } from "../../ui.js";
import { part } from "./parts.js";

export function reid({ settings }) {
  const whole = (one, name) => h("span", { class: "whole" }, between(one[name], one[`${name}_interval_95`]));
  return [
    curves(settings.filter((one) => one.variant === "published")),
    part("Settings", table({
      caption: "Settings",
      hideCaption: true,
      columns: [
        { label: "Probe-gallery", row: true, render: (one) => `${one.setting}, ${one.variant}` },
        { label: "Rank-1", render: (one) => whole(one, "rank1") },
        { label: "Rank-5", render: (one) => whole(one, "rank5") },
        { label: "mAP", render: (one) => whole(one, "map") },
        { label: "mINP", render: (one) => whole(one, "minp") },
        { label: "Probes", number: true, render: (one) => number(one.probes) },
      ],
      rows: settings,
    }), h("p", { class: "small muted" }, "Strict: windows of the probe's own video are left out of its gallery.")),
  ];
}

function curves(settings) {
  const drawn = settings.filter((one) => one.cmc?.length).slice(0, 6);
  if (!drawn.length) return null;
  const ranks = drawn[0].cmc.length;
  const low = Math.floor(20 * Math.min(...drawn.map((one) => one.cmc[0]))) / 20;
  const made = chart({
    title: "Found among the first candidates (CMC)",
    about: "Share of probes whose mate is among the first so many windows, as published.",
    x: { scale: logarithmic(1, ranks), label: "candidates", format: number, ticks: [1, 2, 5, 10, 20, 50].filter((rank) => rank <= ranks) },
    y: { scale: linear(low, 1), label: "found", format: (share) => percent(share) },
    layers: drawn.map((one, place) => ({
      kind: "line", points: one.cmc.map((share, rank) => [rank + 1, share]), tone: place + 1, label: one.setting,
      note: (rank, share) => (place ? `${one.setting} ${percent(share)}` : `Among ${rank}: ${one.setting} ${percent(share)}`),
    })),
    table: { columns: ["Candidates", ...drawn.map((one) => one.setting)], rows: drawn[0].cmc.map((_, rank) => [rank + 1, ...drawn.map((one) => percent(one.cmc[rank]))]) },
  });
  return h("section", { class: "panel" }, made.node);
}
