// The time axis: rows that run along it, a line where it is now, and one slider over all of them.
import { colours } from "../theme.js";
import { h } from "../ui.js";
import { confidenceRows, drawRows } from "./strip.js";
import { surface } from "./surface.js";

const TOKENS = ["sunken", "series-1", "series-2", "series-3", "series-4", "series-5", "series-6"];

export class Timeline {
  /** seek(seconds): somebody moved the slider. */
  constructor(seek) {
    this.figures = [];
    this.more = null;
    this.tracks = [];
    this.range = h("input", {
      type: "range",
      min: "0",
      max: "1",
      step: "any",
      value: "0",
      "aria-label": "Time",
      oninput: () => seek(Number(this.range.value)),
    });
    this.head = h("div", { class: "playhead" });
    this.body = h("div", { class: "tracks" });
    this.element = h("div", { class: "timeline" }, this.body, h("div", { class: "slide" }, this.range, this.head));
  }

  load(figures) {
    this.figures = figures;
    this.more = null;
    this.range.max = String(figures[0]?.seconds ?? 1);
    this.#build();
  }

  /** Rows under the confidence's: {label, cells: [[start, end, colour, share?]…]} in seconds. */
  setRows(label, rows) {
    this.more = rows.length ? { label, rows } : null;
    this.#build();
  }

  /** times: of each figure. */
  show(times) {
    this.range.value = String(times[0]);
    const first = this.figures[0];
    this.head.style.setProperty("--at", first ? String(times[0] / first.seconds) : "0");
    for (const track of this.tracks) {
      if (track.second) track.second.style.setProperty("--at", String(times[1] / this.figures[1].seconds));
    }
  }

  close() {
    for (const track of this.tracks) track.surface.close();
  }

  #build() {
    this.close();
    this.tracks = this.figures.map((figure, place) =>
      this.#track(
        this.figures.length > 1 ? `Confidence, ${figure.name}` : "Confidence",
        confidenceRows(figure),
        figure.seconds,
        place > 0,
      ),
    );
    if (this.more)
      this.tracks.unshift(this.#track(this.more.label, this.more.rows, this.figures[0]?.seconds ?? 1, false, true));
    this.body.replaceChildren(...this.tracks.map((track) => track.element));
  }

  #track(label, rows, seconds, second, tall = false) {
    const canvas = h("canvas", {
      role: "img",
      "aria-label": `${label} over time. ${rows.map((row) => row.text ?? row.label).join("; ")}`,
    });
    const made = { second: second ? h("div", { class: "playhead other" }) : null };
    made.element = h(
      "div",
      { class: tall ? "track tall" : "track" },
      h(
        "div",
        { class: "labels", "aria-hidden": "true" },
        rows.map((row) => h("span", {}, row.label)),
      ),
      h("div", { class: "drawn" }, canvas, made.second),
    );
    made.element.style.setProperty("--rows", String(rows.length));
    made.surface = surface(canvas, (context, width, height) =>
      drawRows(context, rows, seconds, width, height, colours(...TOKENS)),
    );
    return made;
  }
}
