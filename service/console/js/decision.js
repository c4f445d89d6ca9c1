// A decision as people read it: what it is, why, and how far everybody is from the threshold.
import { many, percent, score, words } from "./format.js";
import { icon } from "./icons.js";
import { sentence as sentenceOf } from "./problems.js";
import { h, note } from "./ui.js";

export const OUTCOMES = {
  match: { word: "Match", icon: "yes", class: "match" },
  no_match: { word: "No match", icon: "no", class: "no_match" },
  abstain: { word: "Abstained", icon: "ask", class: "abstain" },
};

/** Words that come with a decision, beside those of the quality checks. */
const REASONS = {
  threshold_extrapolated:
    "This gallery is larger than its calibration measured; the threshold carries on from there, on the safe side.",
  margin_too_small: "The runner-up is too near: the calibration asks for a larger margin.",
  replay_suspected: "Nearly the same as a template or as a recent probe: perhaps a recording that was sent again.",
  uncalibrated: "Nothing says which threshold holds which error rate here. Calibrate the gallery.",
};

export const inOtherWords = (word, meanings) => meanings[word] ?? REASONS[word] ?? words(word);

export const outcomeTag = (outcome) => {
  const { word, icon: drawing, class: kind } = OUTCOMES[outcome] ?? { word: words(outcome), icon: "ask", class: "" };
  return h("span", { class: `tag ${kind}` }, icon(drawing), word);
};

/** One sentence that says all that matters. */
export function sentence(decision) {
  const { outcome, score: best, threshold, searched } = decision;
  const among = `among ${many(searched, "subject")}`;
  if (outcome === "match") return `Score ${score(best)}; the threshold is ${score(threshold)}, ${among}.`;
  if (outcome === "no_match") {
    return best === null
      ? `Nobody ${among} reaches the threshold.`
      : `The best score ${among} is ${score(best)}; the threshold is ${score(threshold)}.`;
  }
  return "An answer would not be worth relying on.";
}

/** What the threshold promises. */
export function promise(decision) {
  if (decision.fpir === null) return "No error rate is known for this answer.";
  const basis = { gallery: "by this gallery's own calibration", prior: "by the bundle's calibration on other people" }[
    decision.basis
  ];
  const strangers = `Of those who are not enrolled, ${percent(decision.fpir)} would reach this threshold`;
  return `${strangers}, ${basis ?? "uncalibrated"}.`;
}

/** The head of a decision: outcome, who, why. meanings: words of the quality checks. */
export function verdict(decision, meanings) {
  const { class: kind, icon: drawing, word } = OUTCOMES[decision.outcome];
  return h(
    "div",
    { class: `verdict ${kind}` },
    h("p", { class: "outcome" }, icon(drawing), word),
    h(
      "p",
      { class: "subject" },
      decision.outcome === "match"
        ? decision.subject
        : decision.outcome === "no_match"
          ? "Nobody who is enrolled"
          : "No decision",
    ),
    h("p", {}, sentence(decision)),
    decision.outcome === "abstain" || decision.threshold === null
      ? null
      : h("p", { class: "muted small" }, promise(decision)),
    decision.reasons.map((each) =>
      note(decision.outcome === "abstain" ? "warn" : "", sentenceOf(inOtherWords(each, meanings))),
    ),
  );
}

/**
 * Candidates on one scale with the threshold. chosen: subject whose template is shown. onChoose(candidate).
 * Scores are cosines: the scale begins where it says, so that differences are seen.
 */
export function candidates(decision, { onChoose, role = () => "" }) {
  const { threshold } = decision;
  const low =
    Math.floor(10 * Math.min(0.5, threshold ?? 1, ...decision.candidates.map((each) => each.score)) - 0.5) / 10;
  const place = (value) => Math.max(0, Math.min(1, (value - low) / (1 - low)));
  const rows = decision.candidates.map((each, rank) => {
    const reaches = threshold !== null && each.score >= threshold;
    const bar = h(
      "span",
      { class: "bar" },
      h("i", { class: reaches ? "fill reaches" : "fill", style: { "--share": place(each.score) } }),
      threshold === null ? null : h("i", { class: "mark", style: { "--share": place(threshold) } }),
    );
    const against = threshold === null ? "" : reaches ? ", reaches the threshold" : ", below the threshold";
    const distance = threshold === null ? "" : `${reaches ? "+" : "−"}${Math.abs(each.score - threshold).toFixed(3)}`;
    return h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          class: "candidate",
          "aria-pressed": "false",
          dataset: { subject: each.subject },
          "aria-label": `${rank + 1}: ${each.subject}, score ${score(each.score)}${against}. Compare with the probe`,
          onclick: () => onChoose(each),
        },
        h("span", { class: "name clip" }, each.subject),
        h("span", { class: "value" }, score(each.score)),
        h("span", { class: "distance" }, distance),
        bar,
        role(each),
      ),
    );
  });
  if (!rows.length)
    return h(
      "p",
      { class: "muted" },
      "No names are given: nobody reaches the threshold, and your key may not see who came near.",
    );
  const scale =
    threshold === null
      ? null
      : h(
          "div",
          { class: "threshold", style: { "--share": place(threshold) }, "aria-hidden": "true" },
          h("span", {}, `threshold ${score(threshold)}`),
        );
  return h(
    "div",
    { class: "candidates" },
    scale,
    h("ol", { "aria-label": "Candidates, best first" }, rows),
    h(
      "p",
      { class: "ends small muted", "aria-hidden": "true" },
      h("span", {}, low.toFixed(1).replace("-", "−")),
      h("span", {}, "score"),
      h("span", {}, "1.0"),
    ),
  );
}

/** The numbers behind it. */
export function figures(decision) {
  const rows = [
    ["Score", score(decision.score)],
    ["Threshold", score(decision.threshold)],
    ["Margin to the runner-up", score(decision.margin)],
    ["FPIR held", decision.fpir === null ? "–" : `${percent(decision.fpir)} (${decision.db} dB)`],
    ["Searched", many(decision.searched, "subject")],
    decision.likelihood === null ? null : ["Likelihood ratio", `10^${decision.likelihood}`],
    ["Basis", decision.basis],
    ["Calibration", decision.calibration ?? "–"],
    ["Change seen", decision.seq ?? "–"],
  ].filter(Boolean);
  return h(
    "dl",
    { class: "facts" },
    rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))]),
  );
}
