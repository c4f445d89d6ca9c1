// Keys of callers: made, rotated and revoked. What a caller sends is shown once, and never again.
import { api } from "../../api.js";
import { moment } from "../../format.js";
import { button, confirm, dialog, field, fill, h, inWords, note, table, toast } from "../../ui.js";

const SCOPES = {
  identify: "ask who it is, and what they do", enroll: "add templates, and see who is there", manage: "change and erase", audit: "read the audit log and this page",
  embed: "get embeddings", investigate: "see names and scores below the threshold, and skeletons", admin: "everything, and keys",
};
const TONES = { good: "good", expired: "warn", revoked: "" };

export async function keysView(root) {
  const look = async () => {
    const keys = [];
    for await (const page of api.pages("/keys?limit=1000")) keys.push(...page.keys);
    fill(root, h("div", { class: "row apart" }, h("h2", {}, "Keys of callers"), button("New key", { class: "first", icon: "key", onclick: () => create(look) })), list(keys, look));
  };
  await look();
}

function list(keys, again) {
  return table({
    caption: "Keys", hideCaption: true, empty: ["No key yet", "Where the service asks nobody who they are, it listens on this machine only."],
    columns: [
      { label: "Key", row: true, render: ({ id, name }) => [name, " ", h("code", { class: "muted" }, id)] },
      { label: "State", render: ({ state }) => h("span", { class: `tag ${TONES[state]}` }, state) },
      { label: "May", render: ({ scopes }) => scopes.join(", ") },
      { label: "In", render: ({ galleries }) => (galleries ? galleries.join(", ") : "all galleries") },
      { label: "A minute", number: true, render: ({ rate }) => rate ?? "–" },
      { label: "Used", render: ({ used }) => h("span", { class: "whole" }, used ? moment(used) : "never") },
      { label: "Ends", render: ({ expires }) => h("span", { class: "whole" }, expires ? moment(expires) : "–") },
      { label: h("span", { class: "only-read" }, "Change"), render: (key) => (key.state === "revoked" ? "" : h("span", { class: "row" }, button("Rotate", { "aria-label": `Rotate ${key.name}`, onclick: () => rotate(key, again) }),
        button("Revoke", { class: "danger", "aria-label": `Revoke ${key.name}`, onclick: () => revoke(key, again) }))) },
    ],
    rows: keys,
  });
}

async function create(again) {
  const name = h("input", { class: "input", required: true, maxlength: "128", autocomplete: "off", autofocus: true });
  const boxes = Object.entries(SCOPES).map(([scope, about]) => [scope, h("input", { type: "checkbox", checked: scope === "identify" }), about]);
  const galleries = h("input", { class: "input", autocomplete: "off", placeholder: "all galleries" });
  const rate = h("input", { class: "input", type: "number", min: "1", placeholder: "no limit of its own", inputmode: "numeric" });
  const expires = h("input", { class: "input", type: "date" });
  const wrong = h("p", { class: "small", role: "alert" });
  let made = null;
  const run = async () => {
    try {
      made = await api.post("/keys", {
        name: name.value.trim(), scopes: boxes.filter(([, box]) => box.checked).map(([scope]) => scope),
        ...(galleries.value.trim() ? { galleries: galleries.value.split(",").map((each) => each.trim()).filter(Boolean) } : {}),
        ...(rate.value ? { rate: Number(rate.value) } : {}), ...(expires.value ? { expires: `${expires.value}T23:59:59Z` } : {}),
      });
      return true;
    } catch (problem) {
      wrong.textContent = inWords(problem);
      return false;
    }
  };
  const yes = await dialog({
    title: "New key",
    body: [field("Name", name), h("fieldset", { class: "scopes" }, h("legend", {}, "May"), boxes.map(([scope, box, about]) => field([h("strong", {}, scope), ` ${about}`], box, { beside: true }))),
      field("Only in these galleries", galleries), field("Requests a minute", rate), field("Ends with this day (UTC)", expires), wrong],
    actions: [{ label: "Cancel", value: false }, { label: "Make the key", value: true, class: "first", run }],
  });
  if (!yes) return;
  await shown(made);
  await again();
}

/** The key itself, this once. */
async function shown(made) {
  const text = h("input", { class: "input mono", readonly: true, value: made.key, onfocus: () => text.select() });
  const copy = button("Copy", { onclick: async () => { await navigator.clipboard.writeText(made.key); copy.textContent = "Copied"; } });
  await dialog({ title: `The key ${made.name}`, body: [note("warn", "It is shown this once: only a hash of it is kept."), field("Key", text), h("div", {}, copy)], actions: [{ label: "I have it", value: true, class: "first" }] });
}

async function rotate(key, again) {
  const hours = h("input", { class: "input", type: "number", min: "0", max: "720", value: "24", inputmode: "numeric" });
  const yes = await dialog({ title: `Rotate ${key.name}?`, body: [h("p", {}, "It gets another secret; as it was it stays good for a while, so that nobody who uses it is cut off."), field("Hours for which the former one is good", hours)],
    actions: [{ label: "Cancel", value: false }, { label: "Rotate", value: true, class: "first" }] });
  if (yes) await changed(async () => shown(await api.post(api.path`/keys/${key.id}/rotation`, { grace_seconds: Math.round(Number(hours.value) * 3600) })), again);
}

async function revoke(key, again) {
  if (await confirm(`Revoke ${key.name}?`, "Whoever uses it is refused from now on, by other processes within a second.", { yes: "Revoke" })) await changed(() => api.del(api.path`/keys/${key.id}`), again);
}

async function changed(change, again) {
  try {
    await change();
  } catch (problem) {
    toast(inWords(problem), { tone: "bad" });
  }
  await again();
}
