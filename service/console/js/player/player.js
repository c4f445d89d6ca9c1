// The skeleton player: one figure, or two side by side and in step, on canvases of our own.
//
//   const player = createPlayer();           an element: player.element
//   await player.load([{ sequence, name }])  one or two of our JSON sequences
//   player.setRows("Actions", rows)          more rows along the time axis, see strip.js
//   player.close()
import { still } from "../theme.js";
import { h } from "../ui.js";
import { Clock } from "./clock.js";
import { controls, SPEEDS } from "./controls.js";
import { Figure } from "./figure.js";
import { listen, showShortcuts } from "./keys.js";
import { skeletons } from "./skeletons.js";
import { Stage } from "./stage.js";
import { inStep } from "./step.js";
import { Timeline } from "./timeline.js";

/**
 * onTime(seconds): called whenever the time shown changes. keys: of the page, each [[names shown], what it does,
 * {key: action}].
 */
export function createPlayer(options = {}) {
  return new Player(options);
}

class Player {
  constructor({ label = "Skeleton player", onTime = () => {}, keys = [] }) {
    this.view = { mirror: false, heat: false, trails: true, follow: true, solid: false, step: true, over: false };
    this.figures = [];
    this.map = null;
    this.onTime = onTime;
    this.more = keys;
    this.clock = new Clock(() => this.#show());
    this.stages = h("div", { class: "stages" });
    this.all = [];
    this.timeline = new Timeline((time) => {
      this.clock.pause();
      this.clock.seek(time);
    });
    this.bar = controls(this);
    this.element = h("section", { class: "player", "aria-label": label }, this.stages, this.timeline.element, this.bar);
    this.unlisten = listen(this.element, Object.assign(this.#keys(), ...keys.map(([, , actions]) => actions)));
    this.#stage();
    this.#show();
  }

  /** Show one or two sequences: {sequence, name}. Plays, unless movement is unwanted. */
  async load(shown, { play = !still() } = {}) {
    const { layouts } = await skeletons();
    if (this.closed) return;
    // Who is joined by another goes on where it is.
    const time = this.shown === shown[0]?.sequence ? this.clock.time : 0;
    this.shown = shown[0]?.sequence ?? null;
    this.figures = shown.slice(0, 2).map(({ sequence, name }) => new Figure(sequence, layouts, name));
    this.map = this.figures.length > 1 ? inStep(this.figures[0], this.figures[1]) : null;
    this.view.solid &&= this.#hasDepth();
    this.clock.seconds = this.figures[0]?.seconds ?? 1;
    this.clock.seek(time);
    this.timeline.load(this.figures);
    this.#stage();
    if (play && this.figures.length) this.clock.play();
    else this.clock.pause();
  }

  setRows(label, rows) {
    this.timeline.setRows(label, rows);
  }

  toggle() {
    this.clock.playing ? this.clock.pause() : this.clock.play();
  }

  step(frames) {
    const first = this.figures[0];
    if (!first) return;
    this.clock.pause();
    this.clock.seek(Math.min(first.frames - 1, Math.max(0, first.frameAt(this.clock.time) + frames)) / first.fps);
  }

  setSpeed(speed) {
    this.clock.speed = speed;
    this.#show();
  }

  faster(by) {
    const place = SPEEDS.indexOf(this.clock.speed);
    this.setSpeed(SPEEDS[Math.max(0, Math.min(SPEEDS.length - 1, place + by))]);
  }

  /** Turn one of the view's options on or off. */
  turn(name) {
    if (name === "solid" && !this.#hasDepth()) return;
    this.view[name] = !this.view[name];
    if (name === "over") this.#stage();
    this.#show();
  }

  help() {
    showShortcuts(this.more);
  }

  close() {
    this.closed = true;
    this.clock.pause();
    this.unlisten();
    this.timeline.close();
    for (const stage of this.all) stage.close();
  }

  #hasDepth() {
    return this.figures.length > 0 && this.figures.every((figure) => !figure.flat);
  }

  /** The time of the second figure when the first is at `time`. */
  #other(time) {
    if (this.view.step && this.map) return this.map(time);
    return Math.min(time, this.figures[1].seconds);
  }

  #stage() {
    for (const stage of this.all) stage.close();
    const over = this.view.over && this.figures.length > 1;
    const groups = over || !this.figures.length ? [this.figures] : this.figures.map((figure) => [figure]);
    this.all = groups.map((figures) => new Stage(figures, this.view, { onTurn: () => this.#show() }));
    this.stages.replaceChildren(...this.all.map((stage) => stage.element));
    this.stages.dataset.count = this.all.length;
  }

  #show() {
    const { time, playing, speed } = this.clock;
    const times = [time, ...(this.figures.length > 1 ? [this.#other(time)] : [])];
    let place = 0;
    for (const stage of this.all) {
      const own = stage.figures.map(() => times[place++] ?? 0);
      stage.show(own, playing);
    }
    this.timeline.show(times);
    const first = this.figures[0];
    const text = first ? `${time.toFixed(2)} s · frame ${first.frameAt(time) + 1} of ${first.frames}` : "–";
    this.timeline.range.setAttribute("aria-valuetext", text);
    this.bar.show({
      playing,
      speed,
      text,
      view: { ...this.view, step: this.view.step && Boolean(this.map) },
      figures: this.figures.length,
      hasDepth: this.#hasDepth(),
      canStep: Boolean(this.map),
    });
    this.onTime(time);
  }

  #keys() {
    const on = (name) => () => this.turn(name);
    const turn = (yaw, pitch) => () => {
      for (const stage of this.all) stage.turn(yaw, pitch);
    };
    return {
      " ": () => this.toggle(),
      k: () => this.toggle(),
      arrowleft: (event) => this.step(event.shiftKey ? -10 : -1),
      arrowright: (event) => this.step(event.shiftKey ? 10 : 1),
      home: () => this.step(-Infinity),
      end: () => this.step(Infinity),
      "-": () => this.faster(-1),
      "+": () => this.faster(1),
      "=": () => this.faster(1),
      m: on("mirror"),
      c: on("heat"),
      t: on("trails"),
      f: on("follow"),
      d: on("solid"),
      i: on("step"),
      o: on("over"),
      a: turn(-0.15, 0),
      s: turn(0.15, 0),
      w: turn(0, 0.1),
      x: turn(0, -0.1),
      r: () => {
        for (const stage of this.all) stage.reset();
      },
      "?": () => this.help(),
    };
  }
}
