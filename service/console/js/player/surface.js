// A canvas as sharp as the screen: told when its size, the screen's density or the theme changes.
import { CHANGED } from "../theme.js";

/** draw(context, width, height) in CSS pixels. Returns {draw(), close()}; draws are put together, one a frame. */
export function surface(canvas, draw) {
  let wanted = 0;
  const now = () => {
    wanted = 0;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width || !height) return;
    const density = devicePixelRatio || 1;
    const [w, h] = [Math.round(width * density), Math.round(height * density)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    const context = canvas.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    draw(context, width, height);
  };
  const soon = () => {
    wanted ||= requestAnimationFrame(now);
  };
  const watch = new ResizeObserver(soon);
  watch.observe(canvas);
  document.addEventListener(CHANGED, soon);
  return {
    draw: soon,
    now,
    close() {
      watch.disconnect();
      cancelAnimationFrame(wanted);
      document.removeEventListener(CHANGED, soon);
    },
  };
}
