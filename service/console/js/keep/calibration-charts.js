// A calibration's pictures: scores of strangers and of mates, and the trade-off between both errors.
import { chart } from "../chart.js";
import { percent, score } from "../format.js";
import { between } from "../rates.js";
import { deviates, endsOfRates, linear } from "../scale.js";

/** Histograms of both kinds of scores. `at(point)` puts the threshold there. */
export function scoreChart({ histogram }) {
  const { start, width, mated, nonmated } = shown(histogram);
  const end = start + width * mated.length;
  const highest = Math.max(...mated, ...nonmated);
  const bars = [
    { kind: "steps", start, width, values: nonmated, tone: 2, label: "Strangers' best score" },
    { kind: "steps", start, width, values: mated, tone: 1, label: "Mates' own score" },
  ];
  const rows = mated.map((share, i) => [`${score(start + i * width)} to ${score(start + (i + 1) * width)}`, percent(nonmated[i]), percent(share)]);
  const made = chart({
    title: "Scores",
    about: "Shares of the searches by strangers and by mates, by their score. Where the two overlap, no threshold tells them apart.",
    x: { scale: linear(start, end), label: "score", format: (value) => value.toFixed(end - start > 0.5 ? 1 : 2) },
    y: { scale: linear(0, highest * 1.05), label: "searches", format: (value) => percent(value) },
    layers: bars,
    table: { columns: ["Score", "Strangers", "Mates"], rows },
  });
  return { node: made.node, at: (point) => made.change([...bars, { kind: "rule", x: point.threshold, label: score(point.threshold) }]) };
}

/** Without the empty bins at either end. */
function shown({ start, width, mated, nonmated }) {
  const full = mated.map((share, i) => share + nonmated[i] > 0);
  const [first, last] = [Math.max(full.indexOf(true) - 1, 0), Math.min(full.lastIndexOf(true) + 2, mated.length)];
  return { start: start + first * width, width, mated: mated.slice(first, last), nonmated: nonmated.slice(first, last) };
}

/** Both errors against each other, with the band of the misses. `at(point)` marks a threshold. */
export function detChart(calibration) {
  const points = calibration.curve.filter((point) => point.fnir !== null && point.fnir !== undefined).reverse();
  const band = points.filter((point) => point.fnir_between).map(({ fpir, fnir_between: [low, high] }) => [fpir, low, high]);
  const line = points.filter(({ fnir }) => fnir > 0).map(({ fpir, fnir }) => [fpir, fnir]); // no deviate stands for 0
  const [across, up] = [endsOfRates(line.map(([fpir]) => fpir)), endsOfRates([...line.map(([, fnir]) => fnir), ...band.flatMap(([, ...ends]) => ends)])];
  const layers = [
    { kind: "band", points: band, tone: 1 },
    { kind: "line", points: line, tone: 1, note: (fpir, fnir) => `Strangers let through ${percent(fpir)}: mates missed ${percent(fnir)}` },
  ];
  const made = chart({
    title: "Trade-off (DET)",
    about: "Mates missed against strangers let through, on normal deviates, with the band of 95 %, subjects drawn again.",
    x: { scale: deviates(...across), label: "strangers let through (FPIR)", format: (rate) => percent(rate) },
    y: { scale: deviates(...up), label: "mates missed (FNIR)", format: (rate) => percent(rate) },
    layers,
    table: {
      columns: ["Threshold", "FPIR (95 %)", "FNIR (95 %)"],
      rows: points.map((point) => [score(point.threshold), between(point.fpir, point.fpir_between), between(point.fnir, point.fnir_between)]),
    },
  });
  const mark = (point) => (point.fnir === null || point.fnir === undefined ? [] : [{ kind: "dot", x: point.fpir, y: point.fnir }]);
  return { node: made.node, at: (point) => made.change([...layers, ...mark(point)]) };
}
