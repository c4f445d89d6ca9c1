// Two walks in step: when one has the left foot in the air, so has the other, whatever the camera or the tempo.
//
// What is compared does not depend on the view: which foot is lifted higher, and which knee is bent more. The period of
// a walk is the lag at which both agree best with themselves; the phase between two walks the one at which they agree
// with each other.

const HZ = 50;
const STRIDE_S = [0.7, 2.0];
const LEAST_AGREEMENT = 0.25;
const NEARLY = 0.85;

/** Maps a time of `a` to a time of `b`, both `Figure`s; null where no steps are found in one of them. */
export function inStep(a, b) {
  const ours = walkOf(a),
    theirs = walkOf(b);
  if (!ours || !theirs) return null;
  const ratio = theirs.period / ours.period;
  let best = { agreement: -Infinity, shift: 0 };
  for (let shift = 0; shift < theirs.period; shift += 1 / HZ) {
    const agreement = together(ours.signals, theirs, ratio, shift);
    if (agreement > best.agreement) best = { agreement, shift };
  }
  const strides = Math.max(1, Math.floor(b.seconds / theirs.period));
  const span = strides * theirs.period;
  // Beyond its end the other walk goes on whole strides earlier, which looks as if it had no end.
  const map = (time) => {
    const wanted = time * ratio + best.shift;
    return span <= b.seconds ? ((wanted % span) + span) % span : Math.min(wanted, b.seconds);
  };
  return Object.assign(map, { period: ours.period, otherPeriod: theirs.period, agreement: best.agreement });
}

/** Signals at `HZ`, and the period of a stride in seconds; null if there is none. */
export function walkOf(figure) {
  const signals = [lifts(figure), bends(figure)].map((signal) => standard(resampled(signal, figure.fps)));
  const shortest = Math.round(STRIDE_S[0] * HZ);
  const longest = Math.min(STRIDE_S[1] * HZ, 0.75 * signals[0].length);
  const agreements = [];
  for (let lag = shortest; lag <= longest; lag++) {
    agreements.push(signals.reduce((sum, signal) => sum + correlation(signal, lag), 0) / signals.length);
  }
  const most = Math.max(...agreements);
  if (!(most > LEAST_AGREEMENT)) return null;
  // Two strides agree as well as one: the first peak that is nearly the best is the period.
  const peak = agreements.findIndex(
    (each, i) => each >= NEARLY * most && each >= (agreements[i + 1] ?? -1) && each >= (agreements[i - 1] ?? -1),
  );
  return { signals, period: (shortest + peak) / HZ };
}

function together(ours, theirs, ratio, shift) {
  let sum = 0,
    count = 0;
  for (let k = 0; k < ours.length; k++) {
    const other = theirs.signals[k];
    for (let i = 0; i < ours[k].length; i++) {
      const place = i * ratio + shift * HZ,
        period = theirs.period * HZ;
      const wrapped = place % (Math.max(1, Math.floor(other.length / period)) * period);
      if (wrapped >= other.length) continue;
      sum += ours[k][i] * other[Math.floor(wrapped)];
      count++;
    }
  }
  return count ? sum / count : -Infinity;
}

const y = (figure, t, v) => figure.points[3 * (t * figure.count + v) + 1];

function lifts(figure) {
  const [left, right] = figure.drawing.pair("ankle");
  return each(figure, [left, right], (t) => y(figure, t, left) - y(figure, t, right));
}

function bends(figure) {
  const joints = ["hip", "knee", "ankle"].map((joint) => figure.drawing.pair(joint));
  return each(
    figure,
    joints.flat(),
    (t) =>
      bend(
        figure,
        t,
        joints.map((pair) => pair[0]),
      ) -
      bend(
        figure,
        t,
        joints.map((pair) => pair[1]),
      ),
  );
}

/** How far a knee is from straight, in radians. */
function bend(figure, t, [hip, knee, ankle]) {
  const at = (v, k) => figure.points[3 * (t * figure.count + v) + k];
  const one = [0, 1, 2].map((k) => at(hip, k) - at(knee, k)),
    two = [0, 1, 2].map((k) => at(ankle, k) - at(knee, k));
  const dot = one.reduce((sum, value, k) => sum + value * two[k], 0);
  const length = Math.hypot(...one) * Math.hypot(...two);
  return length ? Math.PI - Math.acos(Math.max(-1, Math.min(1, dot / length))) : 0;
}

/** A value for each frame; where a joint is missing, the last one that was known. */
function each(figure, joints, value) {
  let last = 0;
  return Array.from({ length: figure.frames }, (_, t) => {
    if (joints.every((v) => v >= 0 && figure.seen(t, v))) last = value(t);
    return last;
  });
}

function resampled(signal, fps) {
  const length = Math.max(1, Math.floor(((signal.length - 1) / fps) * HZ) + 1);
  return Array.from({ length }, (_, i) => {
    const place = (i / HZ) * fps,
      t = Math.floor(place),
      share = place - t;
    return signal[t] + share * ((signal[t + 1] ?? signal[t]) - signal[t]);
  });
}

function standard(signal) {
  const mean = signal.reduce((sum, value) => sum + value, 0) / signal.length;
  const deviation = Math.sqrt(signal.reduce((sum, value) => sum + (value - mean) ** 2, 0) / signal.length) || 1;
  return signal.map((value) => (value - mean) / deviation);
}

function correlation(signal, lag) {
  let sum = 0;
  for (let i = lag; i < signal.length; i++) sum += signal[i] * signal[i - lag];
  return sum / (signal.length - lag);
}
