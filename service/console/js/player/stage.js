// One canvas with one figure, or with two over each other; it is turned by dragging where there is depth.
import { colours } from "../theme.js";
import { h } from "../ui.js";
import { Camera } from "./camera.js";
import { drawBody, drawGround, drawTrails } from "./draw.js";
import { surface } from "./surface.js";

const TOKENS = ["left", "right", "middle", "missing", "stage", "stage-grid", "text-2"];
const RADIANS_A_PIXEL = 0.01;

export class Stage {
  constructor(figures, view, { onTurn }) {
    Object.assign(this, { figures, view, onTurn, times: figures.map(() => 0), camera: new Camera(), smooth: false });
    const names = figures
      .map((figure) => figure.name)
      .filter(Boolean)
      .join(" over ");
    this.canvas = h("canvas", { role: "img", "aria-label": names ? `Skeleton of ${names}` : "No skeleton yet" });
    this.element = h(
      "figure",
      { class: "stage" },
      this.canvas,
      names ? h("figcaption", { class: "clip", title: names }, names) : null,
      legend(figures),
    );
    this.surface = surface(this.canvas, (context, width, height) => this.#draw(context, width, height));
    this.#drag();
  }

  /** times: one a figure. smooth: draw between frames, while it plays. */
  show(times, smooth) {
    this.times = times;
    this.smooth = smooth;
    this.canvas.classList.toggle("solid", this.view.solid);
    this.surface.draw();
  }

  turn(yaw, pitch) {
    if (!this.view.solid) return;
    this.camera.turn(yaw, pitch);
    this.onTurn();
  }

  reset() {
    this.camera.reset();
    this.onTurn();
  }

  close() {
    this.surface.close();
  }

  #draw(context, width, height) {
    const palette = colours(...TOKENS);
    context.fillStyle = palette.stage;
    context.fillRect(0, 0, width, height);
    if (!this.figures.length) return;
    const poses = this.figures.map((figure, place) => figure.at(this.times[place], this.smooth));
    const cameras = this.figures.map((_, place) =>
      this.camera.through(width, height, this.figures, poses[place].course, this.view),
    );
    drawGround(context, cameras[0], this.figures[0], this.view, palette, width);
    if (this.figures.length > 1) drawBody(context, cameras[1], this.figures[1], poses[1], this.view, palette, true);
    if (this.view.trails) drawTrails(context, cameras[0], this.figures[0], this.times[0], palette);
    drawBody(context, cameras[0], this.figures[0], poses[0], this.view, palette);
    if (!poses[0].confidence.some(Boolean)) this.#nobody(context, width, height, palette);
  }

  #nobody(context, width, height, palette) {
    context.fillStyle = palette["text-2"];
    context.font = `12px ${getComputedStyle(this.canvas).fontFamily}`;
    context.textAlign = "center";
    context.fillText("not seen in this frame", width / 2, height / 2);
  }

  #drag() {
    let from = null;
    this.canvas.addEventListener("pointerdown", (event) => {
      if (!this.view.solid) return;
      from = [event.clientX, event.clientY];
      this.canvas.setPointerCapture(event.pointerId);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!from) return;
      this.turn((event.clientX - from[0]) * RADIANS_A_PIXEL, (event.clientY - from[1]) * RADIANS_A_PIXEL);
      from = [event.clientX, event.clientY];
    });
    for (const end of ["pointerup", "pointercancel"])
      this.canvas.addEventListener(end, () => {
        from = null;
      });
  }
}

const legend = (figures) =>
  figures.length === 0
    ? null
    : h(
        "p",
        { class: "legend", "aria-hidden": "true" },
        h("span", { class: "left" }, "left"),
        h("span", { class: "right" }, "right"),
      );
