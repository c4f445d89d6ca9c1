// The player's buttons. They show what the player is, and say what is to be; they decide nothing.
import { button, h, select } from "../ui.js";
import { icon } from "../icons.js";

export const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2];

/** player: what is called. Returns the element, with `show(state)`. */
export function controls(player) {
  const step = (name, label, by) =>
    button("", { icon: name, class: "plain", "aria-label": label, onclick: () => player.step(by) });
  const play = button("", { icon: "play", class: "first", "aria-label": "Play", onclick: () => player.toggle() });
  const time = h("output", { class: "time mono" });
  const speed = select(
    SPEEDS.map((each) => [String(each), `${each} ×`]),
    { "aria-label": "Speed", onchange: () => player.setSpeed(Number(speed.value)) },
  );
  const turned = {};
  const option = (name, drawing, label) => {
    turned[name] = button(label, {
      icon: drawing,
      class: "plain option",
      "aria-pressed": "false",
      onclick: () => player.turn(name),
    });
    return turned[name];
  };
  const help = button("", { icon: "keyboard", class: "plain", "aria-label": "Keys", onclick: () => player.help() });
  const element = h(
    "div",
    { class: "player-bar" },
    h(
      "div",
      { class: "row" },
      step("back", "One frame back", -1),
      play,
      step("forward", "One frame on", 1),
      speed,
      time,
    ),
    h(
      "div",
      { class: "row options" },
      option("step", "repeat", "In step"),
      option("over", "over", "Overlay"),
      option("mirror", "mirror", "Mirror"),
      option("heat", "heat", "Heat"),
      option("trails", "trails", "Trails"),
      option("follow", "follow", "Follow"),
      option("solid", "cube", "3-D"),
      help,
    ),
  );
  element.show = (state) => {
    const label = state.playing ? "Pause" : "Play";
    if (play.getAttribute("aria-label") !== label) {
      play.setAttribute("aria-label", label);
      play.title = label;
      play.replaceChildren(icon(state.playing ? "pause" : "play"));
    }
    play.disabled = !state.figures;
    time.textContent = state.text;
    speed.value = String(state.speed);
    for (const [name, each] of Object.entries(turned))
      each.setAttribute("aria-pressed", String(Boolean(state.view[name])));
    turned.solid.disabled = !state.hasDepth;
    turned.solid.title = state.hasDepth ? "" : "These joints have two coordinates: there is no depth to turn";
    turned.step.hidden = turned.over.hidden = state.figures < 2;
    turned.step.disabled = state.figures > 1 && !state.canStep;
    turned.step.title = state.canStep ? "" : "No steps were found in one of the two";
  };
  return element;
}
