// Tracks along the time axis, each a row of bands under its name: confidence of body parts, probabilities of actions.
import { heat } from "./draw.js";

const PARTS = [
  ["head", "Head"],
  ["trunk", "Trunk"],
  ["left_arm", "Left arm"],
  ["right_arm", "Right arm"],
  ["left_leg", "Left leg"],
  ["right_leg", "Right leg"],
];

/** Rows of a figure's confidence, a body part each: {label, cells: [[start, end, colour], …], text}. Seconds. */
export function confidenceRows(figure) {
  return PARTS.map(([part, label]) => {
    const joints = figure.drawing.part.flatMap((each, v) => (each === part ? [v] : []));
    if (!joints.length) return null;
    const means = Array.from(
      { length: figure.frames },
      (_, t) => joints.reduce((sum, v) => sum + figure.confidence[t * figure.count + v], 0) / joints.length,
    );
    const cells = means.map((mean, t) => [t / figure.fps, (t + 1) / figure.fps, mean ? heat(mean) : null]);
    return {
      label,
      cells,
      text: `${label}: ${means.length ? (means.reduce((a, b) => a + b, 0) / means.length).toFixed(2) : "–"}`,
    };
  }).filter(Boolean);
}

/** Draw rows on a canvas of `width` x `height` CSS pixels that spans `seconds`. A cell's colour may name a token. */
export function drawRows(context, rows, seconds, width, height, colours) {
  const tall = height / rows.length;
  context.clearRect(0, 0, width, height);
  rows.forEach((row, place) => {
    const top = Math.round(place * tall),
      bottom = Math.round((place + 1) * tall) - 1;
    context.fillStyle = colours.sunken;
    context.fillRect(0, top, width, bottom - top);
    for (const [start, end, colour, share = 1] of row.cells) {
      if (!colour) continue;
      const left = (start / seconds) * width;
      const tallness = (bottom - top) * share;
      context.fillStyle = colours[colour] ?? colour;
      // Half a pixel more, or seams show where two cells meet.
      context.fillRect(left, bottom - tallness, Math.max(1, ((end - start) / seconds) * width + 0.5), tallness);
    }
  });
}
