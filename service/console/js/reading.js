// Keypoint files into sequences, by the service; and what the files do not say, said by whoever looks at them.
import { button, field, h, select } from "./ui.js";
import { skeletons } from "./player/skeletons.js";

/** Each track of files as {name, sequence, notes, quality, problem}. hints: {fps, layout, aspect} that files lack. */
export async function readFiles(api, files, hints = {}) {
  const form = new FormData();
  for (const each of files) form.append("file", each, each.name);
  for (const [name, value] of Object.entries(hints)) if (value) form.append(name, value);
  return found(await api.upload("/sequences", form));
}

/** The tracks of an answer of /sequences. */
export function found(answer) {
  return answer.tracks.map(({ name, sequence, notes, quality, problem }) => ({
    name,
    sequence,
    notes,
    quality,
    problem,
  }));
}

const DOUBTS = ["fps_unknown", "normalised_without_aspect"];

const ASKS = /layout|fps|frames a second|aspect|width/i; // a picture or a note is not read with any hint

/** Whether something had to be assumed, or could not be read without being told. */
export const doubtful = (tracks) =>
  tracks.some(
    (each) =>
      ASKS.test(each.problem?.detail ?? "") ||
      DOUBTS.some((word) => each.quality?.advice.includes(word) || each.notes.some((one) => one.startsWith(word))),
  );

/** A form for what files do not say. again(hints): read them once more. */
export function hintsForm(tracks, given, again) {
  const number = (label, name, placeholder) => {
    const attrs = {
      type: "number",
      min: "0.1",
      step: "any",
      placeholder,
      class: "input short",
      value: given[name] ?? "",
      name,
    };
    return field(label, h("input", attrs));
  };
  const layout = select([["", "as the file says"]], { name: "layout" });
  skeletons().then(
    ({ layouts }) => {
      for (const name of Object.keys(layouts))
        layout.append(h("option", { value: name, selected: name === given.layout }, name));
    },
    () => {},
  );
  const submit = (event) => {
    event.preventDefault();
    again(Object.fromEntries(new FormData(event.target)));
  };
  return h(
    "details",
    { open: doubtful(tracks), class: "hints" },
    h("summary", {}, "What the file does not say"),
    h(
      "form",
      { class: "row", onsubmit: submit },
      number("Frames a second", "fps", "25"),
      field("Layout", layout),
      number("Width / height", "aspect", "1.78"),
      button("Read again", { type: "submit" }),
    ),
  );
}
