// Where a sequence comes from: files dropped anywhere on the page, files chosen, or a sample; and which of its tracks.
import { dropping } from "./dropping.js";
import { many } from "./format.js";
import { ofFile } from "./problems.js";
import { found, hintsForm, readFiles } from "./reading.js";
import { button, failed, field, fill, h, note, select } from "./ui.js";

export { dropping, found };

const GROUPS = [
  ["Enrolled, seen again", (each) => each.roles.includes("probe") && each.subject],
  ["Strangers", (each) => each.roles.includes("probe") && !each.subject && each.source === "simulated"],
  ["Actions", (each) => each.roles.includes("action") && each.source === "simulated"],
  ["Recorded people (CMU)", (each) => each.source === "cmu"],
  ["As enrolled", (each) => each.roles.length === 1 && each.roles[0] === "enroll"],
];

const SUGGESTED = [2, 2]; // samples of the first groups that are offered before anything is chosen

/**
 * onChosen({name, sequence, notes, sample, from}): a sequence is to be shown. first: names of the groups to put first.
 * Returns {controls: elements of a toolbar, tracks: an element, empty: an element to show before, choose(name),
 * next(by), keys: of the player, close()}.
 */
export function createSource(api, { onChosen, onWaiting = () => {}, first = [] }) {
  let listed = [];
  let turn = 0;
  const picker = select([["", "Choose a sample…"]], {
    "aria-label": "Sample",
    class: "input samples",
    onchange: () => picker.value && choose(picker.value),
  });
  const file = h("input", {
    type: "file",
    multiple: true,
    class: "only-read",
    tabindex: "-1",
    "aria-hidden": "true",
    onchange: () => {
      read([...file.files]);
      file.value = "";
    },
  });
  const opening = () => button("Open files…", { icon: "upload", onclick: () => file.click() });
  const suggested = h("div", { class: "row suggested" });
  const tracks = h("div", { class: "tracks-found", hidden: true });
  const loading = load();
  loading.catch(() => {}); // whoever waits for it is told

  async function load() {
    const found = (await api.get("/samples")).samples;
    listed = found;
    const order = [...GROUPS].sort(([a], [b]) => rank(a) - rank(b));
    const left = new Set(found);
    const few = order
      .slice(0, SUGGESTED.length)
      .flatMap(([, belongs], place) => found.filter(belongs).slice(0, SUGGESTED[place]));
    fill(
      suggested,
      h("span", { class: "muted" }, "or look at a sample:"),
      few.map((each) => button(each.name, { class: "plain", onclick: () => choose(each.name) })),
    );
    for (const [label, belongs] of order) {
      const own = [...left].filter(belongs);
      own.forEach((each) => left.delete(each));
      if (own.length)
        picker.append(
          h(
            "optgroup",
            { label },
            own.map((each) => h("option", { value: each.name }, each.name)),
          ),
        );
    }
  }
  const rank = (label) =>
    first.includes(label) ? first.indexOf(label) : first.length + GROUPS.findIndex(([each]) => each === label);

  async function choose(name) {
    const mine = ++turn;
    tracks.hidden = true;
    onWaiting();
    try {
      await loading;
      const sequence = await api.get(api.path`/samples/${name}`);
      if (mine !== turn) return;
      picker.value = name;
      onChosen({
        name,
        sequence,
        notes: [],
        sample: listed.find((each) => each.name === name) ?? null,
        from: "sample",
      });
    } catch (problem) {
      refused(problem, mine);
    }
  }

  async function read(files, hints = {}) {
    if (!files.length) return;
    const mine = ++turn;
    tracks.hidden = true;
    onWaiting();
    try {
      const answers = await readFiles(api, files, hints);
      if (mine === turn)
        offer(
          answers,
          hintsForm(answers, hints, (given) => read(files, given)),
        );
    } catch (problem) {
      refused(problem, mine);
    }
  }

  function offer(answers, hints) {
    picker.value = "";
    const usable = answers.filter((each) => each.sequence);
    const take = (each) => {
      for (const one of tracks.querySelectorAll("[data-name]"))
        one.setAttribute("aria-pressed", String(one.dataset.name === each.name));
      onChosen({ ...each, sample: null, from: "file" });
    };
    tracks.hidden = false;
    fill(
      tracks,
      usable.length > 1 ? choiceOf(usable, take) : null,
      answers
        .filter((each) => each.problem)
        .map((each) => note("bad", h("strong", {}, each.name), ": ", ofFile(each.problem, each.name))),
      hints,
    );
    if (usable.length) take(usable[0]);
    else onChosen(null);
  }

  const choiceOf = (usable, take) => [
    h("p", { class: "muted" }, `${many(usable.length, "track")}: choose one`),
    h(
      "div",
      { class: "row", role: "group", "aria-label": "Tracks" },
      usable.map((each) =>
        button(each.name, { "aria-pressed": "false", dataset: { name: each.name }, onclick: () => take(each) }),
      ),
    ),
  ];

  /** The next track of the file, or the next sample; by -1 the one before. */
  function next(by) {
    const several = [...tracks.querySelectorAll("[data-name]")];
    if (several.length && !tracks.hidden) {
      const place = several.findIndex((each) => each.getAttribute("aria-pressed") === "true");
      return several[(place + by + several.length) % several.length].click();
    }
    const names = [...picker.options].map((option) => option.value).filter(Boolean);
    const place = names.indexOf(picker.value);
    return names.length
      ? choose(names[(place < 0 ? (by > 0 ? 0 : names.length - 1) : place + by + names.length) % names.length])
      : null;
  }

  function refused(problem, mine) {
    if (mine !== turn) return;
    picker.value = "";
    tracks.hidden = false;
    fill(tracks, failed(problem));
    onChosen(null);
  }

  const closeDrop = dropping((files) => read(files));
  const empty = h(
    "div",
    { class: "drop" },
    h("p", {}, h("strong", {}, "Drop keypoint files here")),
    h(
      "p",
      { class: "muted small" },
      "OpenPose, AlphaPose, MMPose, MediaPipe, GaitGraph CSV, NTU, BVH, ASF/AMC, npz or our JSON. Nothing is stored.",
    ),
    h("div", { class: "row" }, opening()),
    suggested,
  );
  const controls = h("div", { class: "row source" }, opening(), file, field("Sample", picker, { beside: true }));
  controls.querySelector("label").classList.add("only-read");
  return {
    controls,
    tracks,
    empty,
    choose,
    next,
    ready: loading,
    keys: [["[", "]"], "the track or sample before, or after", { "[": () => next(-1), "]": () => next(1) }],
    close: () => {
      turn++;
      closeDrop();
    },
  };
}
