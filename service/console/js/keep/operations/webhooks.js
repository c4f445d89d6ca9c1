// Who is told of decisions, by signed requests that are tried again.
import { api } from "../../api.js";
import { count, moment, words } from "../../format.js";
import { button, confirm, dialog, field, fill, h, inWords, note, table, toast } from "../../ui.js";

const OUTCOMES = ["match", "no_match", "abstain"];

export async function webhooksView(root) {
  const look = async () => {
    const hooks = [];
    for await (const page of api.pages("/webhooks")) hooks.push(...page.webhooks);
    fill(root, h("div", { class: "row apart" }, h("h2", {}, "Webhooks"), button("New webhook", { class: "first", onclick: () => create(look) })), list(hooks, look));
  };
  await look();
}

function list(hooks, again) {
  return table({
    caption: "Webhooks", hideCaption: true, empty: ["No webhook yet", "Nobody is told of decisions. A webhook is told of each as it falls, by a signed request."],
    columns: [
      { label: "Address", row: true, render: ({ url }) => h("code", { class: "address" }, url) },
      { label: "Gallery", render: ({ gallery }) => gallery ?? "all" },
      { label: "Told of", render: ({ events }) => events.map(words).join(", ") },
      { label: "State", render: state },
      { label: "Since", render: ({ created }) => h("span", { class: "whole" }, moment(created)) },
      { label: h("span", { class: "only-read" }, "Change"), render: (hook) => h("span", { class: "row" }, button("Test", { "aria-label": `Test ${hook.url}`, onclick: () => test(hook) }),
        button("Delete", { class: "danger", "aria-label": `Delete ${hook.url}`, onclick: () => remove(hook, again) })) },
    ],
    rows: hooks,
  });
}

function state({ active, waiting, error }) {
  if (!active) return h("span", { class: "tag bad" }, "its receiver is gone");
  if (error) return [h("span", { class: "tag warn" }, `${count(waiting)} waiting`), h("span", { class: "muted" }, ` ${error}`)];
  return h("span", { class: "tag good" }, waiting ? `${count(waiting)} waiting` : "told of all");
}

async function create(again) {
  const url = h("input", { class: "input", type: "url", required: true, placeholder: "https://", autocomplete: "off", autofocus: true });
  const gallery = h("input", { class: "input", autocomplete: "off", placeholder: "all galleries" });
  const boxes = OUTCOMES.map((outcome) => [outcome, h("input", { type: "checkbox", checked: outcome === "match" })]);
  const wrong = h("p", { class: "small", role: "alert" });
  let made = null;
  const run = async () => {
    try {
      made = await api.post("/webhooks", {
        url: url.value.trim(), events: boxes.filter(([, box]) => box.checked).map(([outcome]) => outcome),
        ...(gallery.value.trim() ? { gallery: gallery.value.trim() } : {}),
      });
      return true;
    } catch (problem) {
      wrong.textContent = inWords(problem);
      return false;
    }
  };
  const yes = await dialog({ title: "New webhook", body: [field("Address", url), field("Of this gallery only", gallery),
    h("fieldset", { class: "scopes" }, h("legend", {}, "Tell of decisions that are"), boxes.map(([outcome, box]) => field(words(outcome), box, { beside: true }))), wrong],
    actions: [{ label: "Cancel", value: false }, { label: "Make it", value: true, class: "first", run }] });
  if (!yes) return;
  const text = h("input", { class: "input mono", readonly: true, value: made.secret });
  await dialog({ title: "The secret of this webhook", body: [note("warn", "It is shown this once. What is sent is signed with it."), field("Secret", text)], actions: [{ label: "I have it", value: true, class: "first" }] });
  await again();
}

async function test(hook) {
  try {
    const { received, status, error } = await api.post(api.path`/webhooks/${hook.id}/test`);
    if (received) toast("The test was received.");
    else toast(`The test was not received: ${status === null ? words(error ?? "no answer") : `it was answered with status ${status}`}.`, { tone: "bad" });
  } catch (problem) {
    toast(inWords(problem), { tone: "bad" });
  }
}

async function remove(hook, again) {
  if (!(await confirm("Delete this webhook?", `${hook.url} is told nothing any more.`, { yes: "Delete" }))) return;
  try {
    await api.del(api.path`/webhooks/${hook.id}`);
  } catch (problem) {
    toast(inWords(problem), { tone: "bad" });
  }
  await again();
}
