// Drawing one pose: ground, trails, bones, joints and head.

const TRAIL_S = 0.7;
// Confidence as heat: what is doubtful is loud, what is sure is calm; told apart with every kind of colour blindness.
const HEAT = [
  [0, [200, 40, 45]],
  [0.3, [238, 118, 66]],
  [0.55, [238, 190, 88]],
  [0.75, [150, 186, 200]],
  [1, [48, 108, 180]],
];

/** The colour of a confidence in [0, 1]. */
export function heat(confidence) {
  const value = Math.max(0, Math.min(1, confidence));
  const after = Math.max(
    1,
    HEAT.findIndex(([stop]) => stop >= value),
  );
  const [[low, from], [high, to]] = [HEAT[after - 1], HEAT[after]];
  const share = (value - low) / (high - low);
  return `rgb(${from.map((each, i) => Math.round(each + share * (to[i] - each))).join(" ")})`;
}

export function drawGround(context, project, figure, view, colours, width) {
  context.strokeStyle = colours["stage-grid"];
  context.lineWidth = 1;
  context.beginPath();
  if (view.solid) grid(context, project);
  else {
    const step = 0.25,
      half = width / 2 / project.scale;
    context.moveTo(0, project.ground + 0.5);
    context.lineTo(width, project.ground + 0.5);
    // Marks a quarter of a body height apart: under a camera that follows, they show the way.
    for (let x = Math.ceil((project.middle - half) / step) * step; x < project.middle + half; x += step) {
      const [at] = project(x, 0, 0);
      context.moveTo(at, project.ground);
      context.lineTo(at, project.ground + (Math.round(x / step) % 4 === 0 ? 9 : 5));
    }
  }
  context.stroke();
}

function grid(context, project) {
  const reach = 1,
    step = 0.25;
  const [x0, z0] = [project.middle, project.depth].map((each) => Math.round(each / step) * step);
  for (let i = -reach; i <= reach + 1e-9; i += step) {
    for (const [a, b] of [
      [
        [x0 + i, z0 - reach],
        [x0 + i, z0 + reach],
      ],
      [
        [x0 - reach, z0 + i],
        [x0 + reach, z0 + i],
      ],
    ]) {
      context.moveTo(...project(a[0], 0, a[1]).slice(0, 2));
      context.lineTo(...project(b[0], 0, b[1]).slice(0, 2));
    }
  }
}

/** Where hands and feet have been. */
export function drawTrails(context, project, figure, time, colours) {
  const last = figure.frameAt(time),
    first = Math.max(0, last - Math.round(TRAIL_S * figure.fps));
  context.lineCap = "round";
  context.lineWidth = Math.max(1, 0.008 * project.size);
  for (const joint of figure.drawing.ends) {
    context.strokeStyle = colours[figure.drawing.side[joint]];
    for (let t = first + 1; t <= last; t++) {
      if (!figure.seen(t, joint) || !figure.seen(t - 1, joint)) continue;
      const [from, to] = [t - 1, t].map((frame) => {
        const i = 3 * (frame * figure.count + joint);
        return project(figure.points[i], figure.points[i + 1], figure.points[i + 2]);
      });
      context.globalAlpha = 0.55 * ((t - first) / (last - first));
      context.beginPath();
      context.moveTo(from[0], from[1]);
      context.lineTo(to[0], to[1]);
      context.stroke();
    }
  }
  context.globalAlpha = 1;
}

/** ghost: drawn behind another figure, in one colour. */
export function drawBody(context, project, figure, pose, view, colours, ghost = false) {
  const { drawing } = figure;
  const at = Array.from({ length: figure.count }, (_, v) =>
    project(pose.points[3 * v], pose.points[3 * v + 1], pose.points[3 * v + 2]),
  );
  const sure = (v) => pose.confidence[v] > 0;
  const colour = (side, confidence) => (ghost ? colours.missing : view.heat ? heat(confidence) : colours[side]);
  context.lineCap = context.lineJoin = "round";
  const bones = drawing.bones
    .filter(([a, b]) => sure(a) && sure(b))
    .map(([a, b, side]) => ({
      a: at[a],
      b: at[b],
      side,
      confidence: Math.min(pose.confidence[a], pose.confidence[b]),
      width: widthOf(drawing, a, b),
      depth: (at[a][2] + at[b][2]) / 2,
    }));
  const neck = neckOf(figure, pose, at, sure);
  if (neck) bones.push(neck);
  if (view.solid) bones.sort((one, other) => one.depth - other.depth);
  else bones.sort((one, other) => ORDER[one.side] - ORDER[other.side]);
  for (const bone of bones) {
    const thick = Math.max(1.5, bone.width * project.size);
    // A seam of the ground's colour keeps crossing limbs apart.
    if (!ghost) line(context, bone, colours.stage, thick + Math.max(2, 0.012 * project.size));
    line(context, bone, colour(bone.side, bone.confidence), thick);
  }
  drawHead(context, project, figure, pose, at, sure, colour, colours, ghost);
  const radius = Math.max(1.5, 0.011 * project.size);
  for (let v = 0; v < figure.count; v++) {
    if (!sure(v) || drawing.part[v] === "head") continue;
    dot(
      context,
      at[v],
      radius,
      colour(drawing.side[v], pose.confidence[v]),
      colours.stage,
      !ghost && pose.confidence[v] < 0.3,
    );
  }
  context.globalAlpha = 1;
}

const ORDER = { right: 0, middle: 1, left: 2 };

function widthOf(drawing, a, b) {
  const names = `${drawing.joints[a]} ${drawing.joints[b]}`;
  if (/hip.*knee|knee.*hip/.test(names)) return 0.034;
  if (/knee|shoulder.*elbow|elbow.*shoulder/.test(names)) return 0.027;
  if (/elbow|wrist/.test(names)) return 0.02;
  if (/toe|heel|foot|hand|thumb|index|pinky|tip/.test(names)) return 0.013;
  return 0.024;
}

function line(context, { a, b }, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(a[0], a[1]);
  context.lineTo(b[0], b[1]);
  context.stroke();
}

function dot(context, [x, y], radius, colour, ground, hollow) {
  context.beginPath();
  context.arc(x, y, hollow ? radius * 1.5 : radius, 0, 2 * Math.PI);
  context.fillStyle = hollow ? ground : colour;
  context.fill();
  context.strokeStyle = colour;
  context.lineWidth = hollow ? 1.5 : 0.5;
  context.stroke();
}

/** Where the head is: the middle of what is seen of it. */
function headAt(figure, pose, at, sure) {
  const seen = figure.drawing.head.filter(sure);
  if (!seen.length) return null;
  const middle = [0, 1, 2].map((k) => seen.reduce((sum, v) => sum + at[v][k], 0) / seen.length);
  return { middle, confidence: seen.reduce((sum, v) => sum + pose.confidence[v], 0) / seen.length };
}

/** From between the shoulders to the head, where the layout has no neck of its own. */
function neckOf(figure, pose, at, sure) {
  const { drawing } = figure,
    head = headAt(figure, pose, at, sure);
  const shoulders = drawing.pair("shoulder");
  const own = drawing.at("neck") >= 0 || drawing.at("mid_shoulder") >= 0;
  if (own || !head || !shoulders.every((v) => v >= 0 && sure(v))) return null;
  const from = [0, 1, 2].map((k) => (at[shoulders[0]][k] + at[shoulders[1]][k]) / 2);
  return { a: from, b: head.middle, side: "middle", confidence: head.confidence, width: 0.02, depth: from[2] };
}

function drawHead(context, project, figure, pose, at, sure, colour, colours, ghost) {
  const head = headAt(figure, pose, at, sure);
  if (!head) return;
  const [x, y] = head.middle;
  context.beginPath();
  context.ellipse(x, y - 0.008 * project.size, 0.05 * project.size, 0.062 * project.size, 0, 0, 2 * Math.PI);
  context.fillStyle = colours.stage;
  if (!ghost) context.fill();
  context.strokeStyle = colour("middle", head.confidence);
  context.lineWidth = Math.max(1.5, 0.018 * project.size);
  context.stroke();
  if (ghost) return;
  for (const v of figure.drawing.head) {
    if (sure(v))
      dot(
        context,
        at[v],
        Math.max(1, 0.007 * project.size),
        colour(figure.drawing.side[v], pose.confidence[v]),
        colours.stage,
        false,
      );
  }
}
