// From the world (body heights, y up) to the pixels of one stage. A flat figure has no depth and is not turned.

const MARGIN = 0.1;
const CAPTION = 40; // pixels above the head, for the name of whom is seen

export class Camera {
  constructor() {
    this.reset();
  }

  reset() {
    this.yaw = -0.6;
    this.pitch = 0.12;
  }

  turn(yaw, pitch) {
    this.yaw = (this.yaw + yaw) % (2 * Math.PI);
    this.pitch = Math.max(-0.2, Math.min(1.4, this.pitch + pitch));
  }

  /**
   * A function (x, y, z) → [pixels right, pixels down, depth] for a stage of width x height CSS pixels.
   * view: {solid, mirror, follow}. figures: all that are drawn on it, so that they share one scale.
   */
  through(width, height, figures, course, view) {
    const fits = figures.map((figure) => this.#scale(width, height, figure.reach, view));
    const { reach, flat } = figures[0];
    const follows = view.follow || view.solid;
    // What is flat grows as it comes nearer; the camera that follows goes back with it.
    const near = follows && flat;
    const scale = Math.min(...fits) / (near ? course[3] : 1);
    const middle = follows ? course[0] : (reach.left + reach.right) / 2;
    const depth = course[1],
      floor = near ? course[2] : 0;
    const ground = height * (1 - MARGIN * 0.9) - (view.solid ? 0.06 * height : 0);
    const flip = view.mirror ? -1 : 1;
    const [sinY, cosY, sinP, cosP] = [
      Math.sin(this.yaw),
      Math.cos(this.yaw),
      Math.sin(this.pitch),
      Math.cos(this.pitch),
    ];
    const project = (x, y, z) => {
      const dx = flip * (x - middle);
      if (!view.solid) return [width / 2 + scale * dx, ground - scale * (y - floor), 0];
      const dz = z - depth;
      const right = cosY * dx + sinY * dz,
        near = cosY * dz - sinY * dx;
      return [width / 2 + scale * right, ground - scale * (cosP * y - sinP * near), sinP * y + cosP * near];
    };
    return Object.assign(project, { scale, ground, middle, depth, size: near ? scale * course[3] : scale });
  }

  #scale(width, height, reach, view) {
    const tall = (height * (1 - MARGIN) - Math.max(CAPTION, MARGIN * height)) / reach.up;
    const across = view.solid
      ? 2 * Math.max(reach.beside, reach.depth)
      : view.follow
        ? 2 * reach.beside
        : reach.right - reach.left;
    return Math.min(tall * (view.solid ? 0.9 : 1), (width * (1 - MARGIN)) / Math.max(across, 0.3));
  }
}
