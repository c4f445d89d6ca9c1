// A stream while it runs: everybody in it, whom each is taken for, and what was decided when.
import { chooseSamples } from "../js/live/choosing.js";
import { Scene } from "../js/live/scene.js";
import { Tracks } from "../js/live/tracks.js";
import { play, treadmill } from "../js/live/treadmill.js";
import { count } from "../js/format.js";
import { remember } from "../js/place.js";
import { skeletons } from "../js/player/skeletons.js";
import { button, failed, field, fill, h, inWords, nothing, note, select, toast } from "../js/ui.js";

export const title = "Live";
const LISTED_MS = 4000;

export async function mount(root, { api, params, controls }) {
  const page = new Live(api);
  fill(root, page.element);
  controls.append(...page.head);
  await page.start(params.get("stream"));
  return () => page.close();
}

class Live {
  constructor(api) {
    this.api = api;
    this.leave = () => {};
    this.picker = select([], { class: "input samples", onchange: () => this.follow(this.picker.value) });
    this.player = button("Play samples…", { icon: "play", onclick: () => this.playSamples() });
    this.stopper = button("Stop", { hidden: true, onclick: () => this.stop() });
    this.head = [field("Stream", this.picker, { beside: true }), this.player, this.stopper];
    this.body = h("div");
    this.element = this.body;
  }

  async start(wanted) {
    this.layouts = (await skeletons()).layouts;
    await this.list();
    const known = [...this.picker.options].map((option) => option.value).filter(Boolean);
    if (known.includes(wanted) || known.length) await this.follow(known.includes(wanted) ? wanted : known[0]);
    else this.#nobody();
    this.timer = setInterval(() => this.list().catch(() => {}), LISTED_MS);
  }

  #nobody() {
    fill(
      this.body,
      nothing(
        "No stream is running",
        "A camera's frames go in by POST /streams and a WebSocket. To see it without a camera, play samples into one.",
        button("Play samples…", { icon: "play", class: "first", onclick: () => this.playSamples() }),
      ),
    );
  }

  /** The streams that run now, into the picker. */
  async list() {
    const { streams } = await this.api.get("/streams");
    this.streams = streams;
    const names = streams.map((each) => each.id);
    if (this.current && !names.includes(this.current)) names.push(this.current);
    const label = (name) => {
      const one = streams.find((each) => each.id === name);
      return one ? `${name} · ${one.gallery}` : `${name} · ended`;
    };
    fill(
      this.picker,
      names.length ? null : h("option", { value: "" }, "none"),
      names.map((name) => h("option", { value: name, selected: name === this.current }, label(name))),
    );
    this.picker.disabled = !names.length;
  }

  /** Show a stream from now on. */
  async follow(name) {
    this.leave();
    this.leave = () => {};
    this.current = name;
    remember({ stream: name });
    let stream;
    try {
      stream = await this.api.get(this.api.path`/streams/${name}`);
    } catch (problem) {
      return fill(
        this.body,
        failed(problem, () => this.follow(name)),
      );
    }
    this.#show(stream);
  }

  #show(stream) {
    const tracks = (this.tracks = new Tracks());
    const scene = new Scene(stream, this.layouts, tracks.nameOf);
    const state = h("p", { class: "row state", role: "status" });
    const stats = h("p", { class: "small muted" });
    const say = (kind, text) =>
      fill(
        state,
        h("span", { class: `tag ${kind}` }, text),
        h("span", { class: "muted" }, `gallery ${stream.gallery}, ${stream.layout}, ${stream.fps} frames a second`),
      );
    say("", "connecting");
    for (const each of stream.tracks) tracks.resume(each);
    fill(
      this.body,
      h(
        "div",
        { class: "look live" },
        h("div", { class: "stack" }, state, scene.element, stats),
        h(
          "div",
          { class: "stack" },
          h("section", { class: "panel", "aria-label": "Tracks" }, h("h2", {}, "Tracks"), tracks.cards),
          h("section", { class: "panel", "aria-label": "Decisions" }, h("h2", {}, "Decisions"), tracks.log),
        ),
      ),
    );
    const take = (event, data) => {
      if (event === "frame") scene.show(data.people);
      else if (event === "stats") fill(stats, told(data));
      else if (event === "ended") {
        say("", data.reason === "error" ? `ended: ${data.detail}` : "ended");
        this.#ended();
      } else tracks.take(event, data);
    };
    let close = () => {};
    const listen = (skeletons) => {
      const where = this.api.path`/streams/${stream.id}/events` + (skeletons ? "?skeletons=true" : "");
      close = this.api.events(where, take, (now, problem) => {
        if (now === "open") say("good", "live");
        else if (now === "lost") say("warn", "connection lost, trying again");
        else if (problem.status === 403 && skeletons) {
          fill(stats, note("", "Your key may not see skeletons, so there are decisions only."));
          listen(false);
        } else if (problem.status === 404) say("", "ended");
        else fill(stats, note("bad", inWords(problem)));
      });
    };
    listen(true);
    this.leave = () => {
      close();
      scene.close();
    };
    this.#ended = () => {
      close();
      this.leave = () => scene.close();
    };
  }

  #ended = () => {};

  async playSamples() {
    let chosen;
    try {
      chosen = await chooseSamples(this.api);
    } catch (problem) {
      return toast(inWords(problem), { tone: "bad" });
    }
    if (!chosen) return;
    this.stop();
    try {
      await this.#play(chosen);
    } catch (problem) {
      toast(inWords(problem), { tone: "bad" });
    }
  }

  async #play({ gallery, samples, seconds }) {
    const sequences = await Promise.all(samples.map((name) => this.api.get(this.api.path`/samples/${name}`)));
    const { layout, fps } = sequences[0];
    // Not what they do: whoever walks on the spot is taken for one who turns.
    const stream = await this.api.post("/streams", { layout, fps, units: "pixels", gallery });
    await this.list();
    await this.follow(stream.id);
    await this.list();
    const people = sequences.map((sequence, place) => ({
      at: treadmill(sequence, this.layouts, place),
      enters: Math.round(place * fps),
    }));
    const socket = this.api.socket(this.api.path`/streams/${stream.id}`);
    await new Promise((opened, failed_) => {
      socket.addEventListener("open", opened);
      socket.addEventListener("close", () => failed_(new Error("The stream's socket was refused.")));
    });
    this.stopper.hidden = false;
    this.stop = play(socket, people, {
      fps,
      seconds,
      onEnd: async () => {
        this.stopper.hidden = true;
        this.stop = () => {};
        socket.close();
        await this.api.del(this.api.path`/streams/${stream.id}`).catch(() => {});
      },
    });
  }

  stop = () => {};

  close() {
    clearInterval(this.timer);
    this.stop();
    this.leave();
  }
}

const told = (stats) =>
  [
    `${count(stats.frames)} frames`,
    stats.late ? `${count(stats.late)} late` : null,
    `${count(stats.waiting)} waiting`,
    `${count(stats.clips)} clips encoded`,
    stats.unusable ? `${count(stats.unusable)} of no use` : null,
  ]
    .filter(Boolean)
    .join(" · ");
