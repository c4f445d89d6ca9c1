// Open-set identification as NIST reports it: errors at thresholds, their trade-off, ranks, sizes and groups.
import { chart } from "../../chart.js";
import { percent, score } from "../../format.js";
import { number } from "../../rates.js";
import { deviates, endsOfRates, linear, logarithmic } from "../../scale.js";
import { h, note, table } from "../../ui.js";
import { FEW, part, rate, rowsOf } from "./parts.js";

export function openset(report, curves) {
  return [
    requirement(report.requirement),
    h("div", { class: "two-columns even" }, panel(det(rowsOf(curves.det))), panel(cmc(rowsOf(curves.cmc)))),
    identification(report),
    panel(bySize(report.fnir_by_enrolled)),
    (report.groups ?? []).map(group),
  ];
}

const panel = (figure) => (figure ? h("section", { class: "panel" }, figure) : null);

function requirement(found) {
  if (!found) return null;
  if (found.passed) return note("", "The requirement is met: ", found.reasons?.join("; ") || "the rate holds at the size of operation.");
  return note("warn", h("strong", {}, "The requirement is not shown to be met. "), (found.reasons ?? []).join(". "));
}

function det(rows) {
  if (!rows.length) return null;
  const points = rows.map((row) => [row.fpir, row.fnir, row.fnir_low_95, row.fnir_high_95].map(Number)).filter(([fpir, fnir]) => fpir > 0 && fnir > 0);
  const [across, up] = [endsOfRates(points.map(([fpir]) => fpir)), endsOfRates(points.flatMap(([, ...ends]) => ends))];
  return chart({
    title: "Trade-off (DET)",
    about: "Mates missed against strangers let through, on normal deviates, with the band of 95 %.",
    x: { scale: deviates(...across), label: "strangers let through (FPIR)", format: (share) => percent(share) },
    y: { scale: deviates(...up), label: "mates missed (FNIR)", format: (share) => percent(share) },
    layers: [
      { kind: "band", points: points.map(([fpir, , low, high]) => [fpir, low, high]), tone: 1 },
      { kind: "line", points: points.map(([fpir, fnir]) => [fpir, fnir]), tone: 1, note: (fpir, fnir) => `FPIR ${percent(fpir)}: FNIR ${percent(fnir)}` },
    ],
    table: { columns: ["FPIR", "FNIR", "from", "to"], rows: points.map((row) => row.map((share) => percent(share))) },
  }).node;
}

function cmc(rows) {
  if (!rows.length) return null;
  const points = rows.map((row) => [row.rank, row.found, row.found_low_95, row.found_high_95].map(Number));
  const low = Math.floor(20 * Math.min(...points.map(([, , least]) => least))) / 20;
  return chart({
    title: "Found among the first candidates (CMC)",
    about: "Share of searches by enrolled people whose mate is among the first so many candidates.",
    x: { scale: logarithmic(1, points.at(-1)[0]), label: "candidates", format: number, ticks: [1, 2, 5, 10, 20, 50].filter((rank) => rank <= points.at(-1)[0]) },
    y: { scale: linear(low, 1), label: "found", format: (share) => percent(share) },
    layers: [
      { kind: "band", points: points.map(([rank, , least, most]) => [rank, least, most]), tone: 3 },
      { kind: "line", points: points.map(([rank, found]) => [rank, found]), tone: 3, note: (rank, found) => `Among ${rank}: ${percent(found)}` },
    ],
    table: { columns: ["Candidates", "Found", "from", "to"], rows: points.map(([rank, ...shares]) => [rank, ...shares.map((share) => percent(share))]) },
  }).node;
}

function identification({ identification: rows, thresholds }) {
  if (!rows?.length) return null;
  const rates = Object.keys(rows[0].fnir_at_fpir);
  const named = ({ column, value }) => (column ? `${column} ${value}` : "all");
  return part("Identification: mates missed (FNIR) at strangers let through (FPIR)", table({
    caption: "Identification",
    hideCaption: true,
    columns: [
      { label: "Searches of", row: true, render: named },
      ...rates.map((at) => ({ label: `FPIR ${percent(Number(at))}${thresholds?.[at] ? `, at ${score(thresholds[at])}` : ""}`, render: (row) => rate(row.fnir_at_fpir[at]) })),
      { label: "People", number: true, render: ({ people }) => number(people) },
      { label: "Searches", number: true, render: ({ searches }) => number(searches) },
    ],
    rows,
  }), h("p", { class: "small muted" }, FEW));
}

function bySize(found) {
  const sizes = Object.keys(found ?? {}).map(Number).sort((a, b) => a - b);
  if (sizes.length < 2) return null;
  const rates = Object.keys(found[sizes[0]]);
  const points = (at) => sizes.filter((size) => found[size][at]?.rate !== undefined).map((size) => [size, found[size][at].rate]);
  const most = Math.max(...rates.flatMap((at) => points(at).map(([, share]) => share)), 0.1);
  return chart({
    title: "Mates missed by number of people enrolled",
    about: "Each line holds one rate of strangers let through; the more people, the higher its threshold.",
    x: { scale: logarithmic(sizes[0], sizes.at(-1)), label: "people enrolled", format: number, ticks: sizes },
    y: { scale: linear(0, most * 1.05), label: "mates missed (FNIR)", format: (share) => percent(share) },
    layers: rates.map((at, place) => ({ kind: "line", points: points(at), tone: place + 1, label: `FPIR ${percent(Number(at))}`, note: (size, share) => `${number(size)} people, FPIR ${percent(Number(at))}: ${percent(share)}` })).filter((layer) => layer.points.length),
    table: { columns: ["Enrolled", ...rates.map((at) => `FPIR ${percent(Number(at))}`)], rows: sizes.map((size) => [size, ...rates.map((at) => (found[size][at]?.rate === undefined ? "too few" : percent(found[size][at].rate)))]) },
  }).node;
}

/** Errors of each group at one threshold: whom a threshold for all treats worse. */
function group({ column, threshold, groups, ...ratios }) {
  return part(`By ${column}, at one threshold (${score(threshold)})`, table({
    caption: `By ${column}`,
    hideCaption: true,
    columns: [
      { key: "value", label: column, row: true },
      { label: "Strangers let through (FPIR)", render: (row) => rate(row.fpir) },
      { label: "Mates missed (FNIR)", render: (row) => rate(row.fnir) },
      { label: "People", number: true, render: (row) => number(row.people) },
    ],
    rows: groups,
  }), [["FPIR", ratios.largest_fpir_ratio], ["FNIR", ratios.largest_fnir_ratio]].map(ratio));
}

function ratio([name, found]) {
  if (!found || found.ratio === null || found.ratio === undefined) return null;
  const said = found.shown ? "a difference is shown" : "no difference is shown";
  return h("p", { class: "small muted" }, `${name} of ${found.highest} is ${number(found.ratio)} times that of ${found.lowest}${found.interval ? ` (${number(found.interval[0])} to ${number(found.interval[1])})` : ""}: ${said}.`);
}
