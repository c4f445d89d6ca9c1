// Answers of overlapping clips as one course over time: where several clips hold a moment, their mean counts.
import { score } from "./format.js";

/** The mean over the clips that hold a time; the last clip's where none does. values: of each clip. */
export function meanAt(seconds, values, time) {
  const inside = seconds.flatMap(([start, end], clip) => (time >= start && time <= end ? [clip] : []));
  const clips = inside.length ? inside : [seconds.length - 1];
  return clips.reduce((sum, clip) => sum + values[clip], 0) / clips.length;
}

/**
 * A row for the player's time axis, cut where clips begin and end. seconds: [start, end] of each clip; values: of each
 * clip, in [0, 1]; length: of the sequence in seconds.
 */
export function rowOf(label, seconds, values, length, colour, format) {
  const cuts = [...new Set([0, length, ...seconds.flat()])].filter((each) => each <= length).sort((a, b) => a - b);
  const cells = cuts.slice(1).map((end, place) => {
    const mean = meanAt(seconds, values, (cuts[place] + end) / 2);
    return [cuts[place], end, colour, Math.max(0, mean)];
  });
  const means = cells.map((cell) => cell[3]);
  return { label, cells, text: `${label} from ${format(Math.min(...means))} to ${format(Math.max(...means))}` };
}

/** Seconds of a sequence in our JSON. */
export const lengthOf = (sequence) => sequence.joints.length / (sequence.fps ?? 25);

const ROWS = 3;

/** Rows of the first candidates' scores, clip by clip. */
export function scoreRows({ timeline }, length) {
  if (!timeline || timeline.seconds.length < 2) return [];
  return timeline.subjects.slice(0, ROWS).map((subject, place) => {
    const scores = timeline.scores.map((clip) => clip[place]);
    return rowOf(subject, timeline.seconds, scores, length, place ? "series-6" : "series-1", score);
  });
}
