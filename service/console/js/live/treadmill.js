// Samples played into a stream, as a camera would send them: real time, side by side, walkers on the spot so that a
// recording of three seconds can be looked at for as long as one likes.
import { Figure } from "../player/figure.js";
import { walkOf } from "../player/step.js";

const APART = 260,
  HEIGHT = 300,
  GROUND = 420; // pixels

/** One sample on the spot `place`, again and again by whole strides: a function of the frame's number. */
export function treadmill(sequence, layouts, place) {
  const figure = new Figure(sequence, layouts);
  const walk = walkOf(figure);
  const stride = walk ? walk.period * figure.fps : figure.frames;
  const length = walk ? Math.round(Math.max(1, Math.floor((figure.frames - 1) / stride)) * stride) : figure.frames;
  return (number) => {
    const t = Math.min(number % length, figure.frames - 1);
    const [x, , floor, tall] = figure.course[t];
    const joints = [],
      confidence = [];
    for (let v = 0; v < figure.count; v++) {
      const i = t * figure.count + v,
        known = figure.confidence[i];
      confidence.push(known);
      joints.push(
        known
          ? [
              round((place + 1) * APART + (HEIGHT * (figure.points[3 * i] - x)) / tall),
              round(GROUND - (HEIGHT * (figure.points[3 * i + 1] - floor)) / tall),
            ]
          : [0, 0],
      );
    }
    return { joints, confidence };
  };
}

const round = (value) => Math.round(10 * value) / 10;

/**
 * Send frames through a socket in real time. people: of `treadmill`, each from the frame `enters` on. Returns stop();
 * onEnd() when `seconds` are over or the socket closes.
 */
export function play(socket, people, { fps, seconds, onEnd }) {
  const began = performance.now();
  let sent = 0;
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    clearInterval(timer);
    onEnd();
  };
  const send = () => {
    // A tab in the background is woken seldom: what is due by now goes out together.
    const due = Math.min(seconds * fps, Math.floor(((performance.now() - began) / 1000) * fps) + 1);
    for (; sent < due && socket.readyState === WebSocket.OPEN; sent++) {
      const there = people.filter((each) => sent >= each.enters);
      socket.send(JSON.stringify({ frame: sent, people: there.map((each) => each.at(sent - each.enters)) }));
    }
    if (sent >= seconds * fps) end();
  };
  const timer = setInterval(send, 1000 / fps);
  socket.addEventListener("close", end);
  return end;
}
