// Who is asking: a key where the service wants one, kept for this tab only.
import { api, whenRefused } from "./api.js";
import { keep, key } from "./session.js";
import { button, dialog, field, fill, h, inWords } from "./ui.js";

let asking = null; // one dialog, however many requests were refused
let declined = false; // pages ask the service again and again: whoever said no is not asked every time

/** Ask for a key; true when the service takes it. */
export function signIn() {
  asking ??= ask().finally(() => {
    asking = null;
  });
  return asking;
}

async function ask() {
  const input = h("input", {
    class: "input mono",
    type: "password",
    name: "key",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "gk_…",
    required: true,
    autofocus: true,
  });
  const wrong = h("p", { class: "small", role: "alert" });
  const before = key();
  const answer = await dialog({
    title: "Sign in with a key",
    body: [
      h(
        "p",
        { class: "muted" },
        "The service asks who is calling. The key stays in this tab and is forgotten when it is closed.",
      ),
      field("Key", input),
      wrong,
      h(
        "p",
        { class: "small muted" },
        "The first start of the service printed one; ",
        h("code", {}, "gaitkeeper api-keys create"),
        " makes more.",
      ),
    ],
    actions: [
      { label: "Not now", value: false },
      { label: "Sign in", value: true, class: "first", run: () => taken(input, wrong) },
    ],
  });
  if (!answer) {
    keep(before);
    declined = true;
    document.dispatchEvent(new CustomEvent("declined"));
  }
  return Boolean(answer);
}

async function taken(input, wrong) {
  keep(input.value.trim());
  try {
    await api.get("/whoami", { quiet: true });
  } catch (problem) {
    if (problem.status === 404) return true; // a service that cannot say; the next request will tell
    keep("");
    input.setAttribute("aria-invalid", "true");
    fill(wrong, problem.status === 401 ? "The service does not know this key." : inWords(problem));
    input.focus();
    return false;
  }
  document.dispatchEvent(new CustomEvent("signed"));
  return true;
}

/** What the rail says of who is signed in. */
export function whoIsThere() {
  const box = h("div", { class: "who" });
  const show = async () => {
    let who;
    try {
      who = await api.get("/whoami", { quiet: true });
    } catch (problem) {
      return fill(box, problem.status === 401 ? button("Sign in", { icon: "key", onclick: () => signIn() }) : "");
    }
    const scopes = (who.scopes ?? []).join(", ");
    const where = who.galleries ? ` in ${who.galleries.join(", ")}` : "";
    return fill(
      box,
      h("p", {}, h("strong", {}, who.name || who.id)),
      h("p", {}, scopes + where),
      key()
        ? button("Sign out", {
            class: "plain",
            onclick() {
              keep("");
              location.reload();
            },
          })
        : null,
    );
  };
  for (const each of ["signed", "declined"]) document.addEventListener(each, show);
  show();
  return box;
}

for (const doing of ["click", "change", "drop"]) document.addEventListener(doing, again, true);
addEventListener("hashchange", again, true);

function again() {
  declined = false;
}

whenRefused(async () => !declined && signIn());
