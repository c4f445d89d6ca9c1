// Everybody in the newest frame of a stream, under whom they are taken for.
import { OUTCOMES } from "../decision.js";
import { drawBody } from "../player/draw.js";
import { surface } from "../player/surface.js";
import { drawingOf } from "../player/skeletons.js";
import { colours } from "../theme.js";
import { h } from "../ui.js";

const LETTERS = 24;
const MARGIN = 0.12;
const CALM = 0.08; // how much of the way the eye goes to what it should see, a frame
const TOKENS = [
  "left",
  "right",
  "middle",
  "missing",
  "stage",
  "stage-grid",
  "text",
  "text-2",
  "match",
  "match-soft",
  "no-match",
  "no-match-soft",
  "abstain",
  "abstain-soft",
  "surface",
  "line",
];

export class Scene {
  /** stream: as the service tells of it. layouts: of `skeletons()`. nameOf(track) → {text, outcome}. */
  constructor(stream, layouts, nameOf) {
    this.drawing = drawingOf(layouts, stream.layout);
    this.count = this.drawing.joints.length;
    this.wide = stream.units === "normalised" ? (stream.aspect ?? 1) : 1;
    this.down = stream.units === "metres" ? 1 : -1;
    this.nameOf = nameOf;
    this.people = [];
    this.seen = null;
    this.canvas = h("canvas", {
      role: "img",
      "aria-label": "The people in the stream; the list of tracks says who they are",
    });
    this.element = h("figure", { class: "stage scene" }, this.canvas);
    this.surface = surface(this.canvas, (context, width, height) => this.#draw(context, width, height));
  }

  /** people: of a `frame` event. */
  show(people) {
    this.people = people.map((each) => this.#placed(each)).filter((each) => each.box);
    this.#look();
    this.surface.draw();
  }

  close() {
    this.surface.close();
  }

  #placed({ track, joints, confidence }) {
    const points = new Float32Array(3 * this.count);
    const box = { left: Infinity, right: -Infinity, low: Infinity, high: -Infinity };
    joints.forEach((joint, v) => {
      const [x, y] = [joint[0] * this.wide, joint[1] * this.down];
      points.set([x, y, 0], 3 * v);
      if (!confidence[v]) return;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x);
      box.low = Math.min(box.low, y);
      box.high = Math.max(box.high, y);
    });
    return { track, pose: { points, confidence }, box: box.high > box.low ? box : null };
  }

  /** What is to be seen moves calmly: it grows at once, and shrinks slowly. */
  #look() {
    if (!this.people.length) return;
    const now = { left: Infinity, right: -Infinity, low: Infinity, high: -Infinity };
    for (const { box } of this.people) {
      now.left = Math.min(now.left, box.left);
      now.right = Math.max(now.right, box.right);
      now.low = Math.min(now.low, box.low);
      now.high = Math.max(now.high, box.high);
    }
    this.seen ??= now;
    for (const name of Object.keys(now)) {
      const grows = name === "left" || name === "low" ? now[name] < this.seen[name] : now[name] > this.seen[name];
      this.seen[name] += (grows ? 0.5 : CALM) * (now[name] - this.seen[name]);
    }
  }

  #draw(context, width, height) {
    const palette = colours(...TOKENS);
    context.fillStyle = palette.stage;
    context.fillRect(0, 0, width, height);
    if (!this.seen) return;
    const { left, right, low, high } = this.seen;
    const scale = Math.min(
      (width * (1 - MARGIN)) / Math.max(right - left, 1e-6),
      (height * (1 - 2.4 * MARGIN)) / Math.max(high - low, 1e-6),
    );
    const middle = (left + right) / 2,
      ground = height * (1 - MARGIN);
    const project = Object.assign((x, y) => [width / 2 + scale * (x - middle), ground - scale * (y - low), 0], {
      scale,
    });
    context.strokeStyle = palette["stage-grid"];
    context.beginPath();
    context.moveTo(0, ground + 0.5);
    context.lineTo(width, ground + 0.5);
    context.stroke();
    for (const person of this.people) {
      project.size = scale * (person.box.high - person.box.low);
      drawBody(context, project, this, person.pose, { heat: false, solid: false }, palette, person.track === null);
    }
    for (const person of this.people) this.#label(context, person, project, palette, width);
  }

  #label(context, { track, box }, project, palette, width) {
    if (track === null) return;
    const { text: whole, outcome } = this.nameOf(track);
    const text = whole.length > LETTERS ? `${whole.slice(0, LETTERS - 1)}…` : whole;
    const kind = OUTCOMES[outcome]?.class.replace("_", "-");
    context.font = `600 13px ${getComputedStyle(this.canvas).fontFamily}`;
    const wide = context.measureText(text).width + 16;
    const [x, y] = project((box.left + box.right) / 2, box.high);
    const at = Math.max(2, Math.min(width - wide - 2, x - wide / 2));
    context.beginPath();
    context.roundRect(at, Math.max(2, y - 34 - 0.03 * project.size), wide, 24, 12);
    context.fillStyle = kind ? palette[`${kind}-soft`] : palette.surface;
    context.fill();
    context.strokeStyle = kind ? palette[kind] : palette.line;
    context.lineWidth = 1;
    context.stroke();
    context.fillStyle = kind ? palette[kind] : palette["text-2"];
    context.textBaseline = "middle";
    context.textAlign = "left";
    context.fillText(text, at + 8, Math.max(2, y - 34 - 0.03 * project.size) + 12.5);
  }
}
