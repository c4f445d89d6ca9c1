// What is drawn of a skeleton: bones between joints by their names, so that every layout looks like a body.
import { addressOf, Problem } from "../api.js";

let model = null;

/** Layouts and words of the quality checks, as the service has them; asked for once. */
export function skeletons() {
  model ??= load().catch((problem) => {
    model = null;
    throw problem;
  });
  return model;
}

async function load() {
  const answer = await fetch(addressOf("/console/model.json"));
  if (!answer.ok)
    throw new Problem(answer.status, { title: "The console is incomplete", detail: "model.json is missing" });
  return answer.json();
}

export const sideOf = (joint) => (joint.startsWith("left_") ? "left" : joint.startsWith("right_") ? "right" : "middle");

/** A layout as it is drawn: joints, side and part of each, bones as [from, to, side], and what finds joints by name. */
export function drawingOf(layouts, name) {
  const layout = layouts[name];
  if (!layout) throw new Problem(0, { title: "Unknown layout", detail: `There is no layout ${name}.` });
  const joints = layout.joints;
  const at = (joint) => joints.indexOf(joint);
  const part = [];
  for (const [body, members] of Object.entries(layout.parts)) for (const member of members) part[member] = body;
  const bones = [];
  layout.parents.forEach((parent, joint) => {
    const trunkToHead =
      /shoulder|hip/.test(joints[joint]) && !joints[joint].startsWith("mid") && part[parent] === "head";
    if (parent !== joint && !trunkToHead && !(part[joint] === "head" && part[parent] === "head"))
      bones.push([joint, parent]);
  });
  const has = (a, b) => bones.some(([x, y]) => (x === a && y === b) || (x === b && y === a));
  const add = (a, b) => {
    if (at(a) >= 0 && at(b) >= 0 && !has(at(a), at(b))) bones.push([at(a), at(b)]);
  };
  const spine = ["spine", "mid_hip", "chest"].some((joint) => at(joint) >= 0);
  if (at("mid_shoulder") < 0 && at("neck") < 0) add("left_shoulder", "right_shoulder");
  if (at("mid_hip") < 0) add("left_hip", "right_hip");
  if (!spine && at("neck") < 0) {
    add("left_shoulder", "left_hip");
    add("right_shoulder", "right_hip");
  }
  return {
    name,
    joints,
    part,
    at,
    side: joints.map(sideOf),
    head: joints.flatMap((_, joint) => (part[joint] === "head" ? [joint] : [])),
    bones: bones.map(([a, b]) => [a, b, boneSide(sideOf(joints[a]), sideOf(joints[b]))]),
    ends: ["left_ankle", "right_ankle", "left_wrist", "right_wrist"].map(at).filter((joint) => joint >= 0),
    pair: (joint) => [at(`left_${joint}`), at(`right_${joint}`)],
  };
}

// A bone that crosses the body belongs to neither side; one from the middle belongs to the side where it ends.
const boneSide = (a, b) => (a === b ? a : a === "middle" ? b : b === "middle" ? a : "middle");
