// What the quality checks found, in words, and what they measured.
import { inOtherWords } from "./decision.js";
import { icon } from "./icons.js";
import { h, note } from "./ui.js";
import { count, words } from "./format.js";
import { sentence } from "./problems.js";

const MEASURES = {
  frames: ["Frames", count],
  seconds: ["Length", (value) => `${value.toFixed(2)} s`],
  mean_confidence: ["Mean confidence", (value) => value.toFixed(2)],
  missing_share: ["Joints missing", (value) => `${(100 * value).toFixed(1)} %`],
  step_frequency_hz: ["Steps", (value) => `${value.toFixed(2)} a second`],
  stride_regularity: ["Regularity of strides", (value) => value.toFixed(2)],
  leg_swing: ["Swing of the legs, of height", (value) => `${(100 * value).toFixed(1)} %`],
};

/**
 * quality: of an answer. meanings: what its words mean. notes: what was changed to make the sequence fit. told: words
 * whose meaning stands elsewhere already.
 */
export function qualityOf(quality, meanings, notes = [], told = []) {
  const shown = Object.entries(MEASURES).filter(([name]) => name in quality.measures);
  const [doubts, plain] = parted(notes, meanings);
  return h(
    "div",
    { class: "stack" },
    h(
      "p",
      { class: "row" },
      h(
        "span",
        { class: `tag ${quality.usable ? "good" : "bad"}` },
        icon(quality.usable ? "yes" : "warn"),
        quality.usable ? (quality.advice.length || doubts.length ? "Usable, with advice" : "Usable") : "Not usable",
      ),
      quality.reasons.filter((each) => told.includes(each)).map((each) => h("span", { class: "tag bad" }, words(each))),
    ),
    quality.reasons
      .filter((each) => !told.includes(each))
      .map((each) => note("bad", h("strong", {}, `${capital(words(each))}: `), sentence(inOtherWords(each, meanings)))),
    quality.advice.map((each) =>
      note("warn", h("strong", {}, `${capital(words(each))}: `), sentence(inOtherWords(each, meanings))),
    ),
    doubts.map(({ word, assumed }) =>
      note("warn", h("strong", {}, `${capital(words(word))} (${assumed}): `), sentence(inOtherWords(word, meanings))),
    ),
    h(
      "dl",
      { class: "facts" },
      shown.map(([name, [label, format]]) => [h("dt", {}, label), h("dd", {}, format(quality.measures[name]))]),
    ),
    plain.length
      ? h(
          "ul",
          { class: "small muted notes", "aria-label": "Notes" },
          plain.map((each) => h("li", {}, capital(each))),
        )
      : null,
  );
}

/** Notes that begin with a word of the quality checks tell what a reader had to assume. */
function parted(notes, meanings) {
  const doubts = notes
    .map((each) => /^(\w+): (.*)$/.exec(each))
    .filter((found) => found && found[1] in meanings)
    .map(([, word, assumed]) => ({ word, assumed }));
  return [doubts, notes.filter((each) => !doubts.some(({ word }) => each.startsWith(`${word}:`)))];
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
