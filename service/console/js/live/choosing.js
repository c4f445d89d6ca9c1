// Which samples are to walk into a stream, and where they are to be looked for.
import { allGalleries } from "../keep/gallery-choice.js";
import { dialog, field, h, note, select } from "../ui.js";

const MOST = 4;

/** {gallery, samples: [name], seconds}; null if nothing is to be played. */
export async function chooseSamples(api) {
  const [{ samples }, galleries] = await Promise.all([api.get("/samples"), allGalleries(api)]);
  if (!galleries.length) throw new Error("There is no gallery to look in, or none that your key reaches.");
  const walkers = samples.filter((each) => each.roles.includes("probe"));
  const first = ["walker-01-nm-06-054", "stranger-03-nm-05-054", "walker-03-nm-05-090"];
  const boxes = walkers.map((each) =>
    h("input", { type: "checkbox", value: each.name, id: `play-${each.name}`, checked: first.includes(each.name) }),
  );
  const gallery = select(
    galleries.map((each) => each.name),
    { value: "default" },
  );
  const seconds = select(
    [
      ["10", "10 s"],
      ["20", "20 s"],
      ["60", "1 minute"],
      ["300", "5 minutes"],
    ],
    { value: "20" },
  );
  const said = h("div", { role: "alert" });
  const chosen = () => boxes.filter((each) => each.checked).map((each) => each.value);
  const answer = await dialog({
    title: "Play samples into a stream",
    body: [
      h(
        "p",
        { class: "muted" },
        "They walk side by side, as a camera saw them; each comes in a second after the one before. Nothing is stored.",
      ),
      h("div", { class: "row" }, field("Gallery", gallery), field("For", seconds)),
      h(
        "fieldset",
        { class: "pick" },
        h("legend", {}, `Who walks (up to ${MOST})`),
        boxes.map((box) => h("label", {}, box, box.value)),
      ),
      said,
    ],
    actions: [
      { label: "Cancel", value: false },
      {
        label: "Play",
        value: true,
        class: "first",
        run() {
          const count = chosen().length;
          if (count >= 1 && count <= MOST) return true;
          said.replaceChildren(note("warn", `Choose one to ${MOST} samples; ${count} are chosen.`));
          return false;
        },
      },
    ],
  });
  return answer ? { gallery: gallery.value, samples: chosen(), seconds: Number(seconds.value) } : null;
}
