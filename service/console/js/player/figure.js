// A sequence made ready to be drawn: one body height is 1, the ground is 0, y points up, whatever it was measured in.
import { drawingOf } from "./skeletons.js";
import { walkOf } from "./step.js";

const FOLLOW_S = 1; // the eye follows a body's course over this time, and leaves its sway to be seen

export class Figure {
  /** sequence: our JSON. layouts: of `skeletons()`. */
  constructor(sequence, layouts, name = "") {
    this.name = name;
    this.drawing = drawingOf(layouts, sequence.layout);
    this.frames = sequence.joints.length;
    this.count = this.drawing.joints.length;
    this.fps = sequence.fps ?? 25;
    this.seconds = this.frames / this.fps;
    this.flat = sequence.joints[0][0].length === 2;
    this.confidence = new Float32Array(this.frames * this.count).fill(1);
    sequence.confidence?.forEach((row, t) => this.confidence.set(row, t * this.count));
    this.points = this.#world(sequence);
    this.#stand();
    // Who sits down does not come nearer: only of those who walk is size taken for distance.
    this.walks = walkOf(this) !== null;
    this.course = this.#course();
    this.reach = this.#reach();
    this.pose = { points: new Float32Array(3 * this.count), confidence: new Float32Array(this.count) };
  }

  /** Joints as x to the right, y up, z to the viewer. */
  #world(sequence) {
    const points = new Float32Array(3 * this.frames * this.count);
    const wide = sequence.units === "normalised" ? (sequence.aspect ?? 1) : 1;
    const down = sequence.units === "metres" ? 1 : -1;
    let i = 0;
    for (const frame of sequence.joints) {
      for (const joint of frame) {
        points[i] = joint[0] * wide;
        points[i + 1] = joint[1] * down;
        points[i + 2] = (joint[2] ?? 0) * down;
        i += 3;
      }
    }
    return points;
  }

  /** Scale to a height of 1, feet on 0; both robust against single wild frames. */
  #stand() {
    const heights = [],
      lows = [];
    for (let t = 0; t < this.frames; t++) {
      let low = Infinity,
        high = -Infinity;
      for (let v = 0; v < this.count; v++) {
        if (!this.seen(t, v)) continue;
        const y = this.points[3 * (t * this.count + v) + 1];
        low = Math.min(low, y);
        high = Math.max(high, y);
      }
      if (high > low) {
        heights.push(high - low);
        lows.push(low);
      }
    }
    this.height = quantile(heights, 0.9) || 1;
    const ground = quantile(lows, 0.2) || 0;
    for (let i = 0; i < this.points.length; i += 3) {
      this.points[i] /= this.height;
      this.points[i + 1] = (this.points[i + 1] - ground) / this.height;
      this.points[i + 2] /= this.height;
    }
  }

  /**
   * Where the body is in each frame, smoothed: x, z, the ground under it and its height. A camera that goes with it
   * looks there, so that somebody who comes nearer stays as large.
   */
  #course() {
    const hips = this.drawing.pair("hip").filter((v) => v >= 0);
    const raw = [];
    let last = null;
    for (let t = 0; t < this.frames; t++) ((last = this.#place(t, hips) ?? last), raw.push(last));
    const first = raw.find(Boolean) ?? [0, 0, 0, 1];
    const half = Math.round((FOLLOW_S * this.fps) / 2);
    return raw.map((_, t) => {
      // Near an end the window shrinks on both sides, or the camera would lag behind there.
      const reach = Math.min(half, t, this.frames - 1 - t);
      const near = raw.slice(t - reach, t + reach + 1).map((each) => each ?? first);
      return [0, 1, 2, 3].map((axis) => near.reduce((sum, each) => sum + each[axis], 0) / near.length);
    });
  }

  /** x, z, ground and height of one frame; null where too little is seen to tell. */
  #place(t, hips) {
    const middle = this.#middle(t, hips);
    let low = Infinity,
      high = -Infinity;
    for (let v = 0; v < this.count; v++) {
      if (!this.seen(t, v)) continue;
      const y = this.points[3 * (t * this.count + v) + 1];
      low = Math.min(low, y);
      high = Math.max(high, y);
    }
    if (!middle || high - low < 0.5) return null;
    return [...middle, ...(this.walks ? [low, high - low] : [0, 1])];
  }

  #middle(t, hips) {
    let wanted = hips.filter((v) => this.seen(t, v));
    if (!wanted.length) wanted = Array.from({ length: this.count }, (_, v) => v).filter((v) => this.seen(t, v));
    if (!wanted.length) return null;
    const sum = [0, 0];
    for (const v of wanted) {
      const i = 3 * (t * this.count + v);
      sum[0] += this.points[i];
      sum[1] += this.points[i + 2];
    }
    return sum.map((each) => each / wanted.length);
  }

  /** How far it reaches: beside its course, from end to end, and up. */
  #reach() {
    let beside = 0.2,
      left = Infinity,
      right = -Infinity,
      depth = 0.2,
      up = 1;
    for (let t = 0; t < this.frames; t++) {
      for (let v = 0; v < this.count; v++) {
        if (!this.seen(t, v)) continue;
        const i = 3 * (t * this.count + v);
        beside = Math.max(beside, Math.abs(this.points[i] - this.course[t][0]) / this.course[t][3]);
        depth = Math.max(depth, Math.abs(this.points[i + 2] - this.course[t][1]));
        left = Math.min(left, this.points[i]);
        right = Math.max(right, this.points[i]);
        up = Math.max(up, this.points[i + 1]);
      }
    }
    return {
      beside: Math.min(beside, 1.5),
      depth,
      left: Math.min(left, 0),
      right: Math.max(right, 0.4),
      up: Math.min(up, 1.4),
    };
  }

  seen(t, v) {
    return this.confidence[t * this.count + v] > 0;
  }

  /** Frame at a time, whole; the last one at the end. */
  frameAt(time) {
    return Math.max(0, Math.min(this.frames - 1, Math.round(time * this.fps)));
  }

  /** The pose at a time, between two frames if `smooth`; the same object each time. */
  at(time, smooth = false) {
    const exact = Math.max(0, Math.min(this.frames - 1, time * this.fps));
    const t = smooth ? Math.floor(exact) : Math.round(exact);
    const next = Math.min(t + 1, this.frames - 1),
      share = smooth ? exact - t : 0;
    const { points, confidence } = this.pose;
    for (let v = 0; v < this.count; v++) {
      const both = share > 0 && this.seen(t, v) && this.seen(next, v);
      const a = t * this.count + v,
        b = both ? next * this.count + v : a;
      confidence[v] = this.confidence[a];
      for (let k = 0; k < 3; k++)
        points[3 * v + k] = this.points[3 * a + k] + share * (this.points[3 * b + k] - this.points[3 * a + k]);
    }
    this.pose.course = [0, 1, 2, 3].map((k) => this.course[t][k] + share * (this.course[next][k] - this.course[t][k]));
    return this.pose;
  }
}

export function quantile(values, share) {
  if (!values.length) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))];
}
