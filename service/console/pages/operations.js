import { api } from "../js/api.js";
import { auditView } from "../js/keep/operations/audit.js";
import { jobsView } from "../js/keep/operations/jobs.js";
import { keysView } from "../js/keep/operations/keys.js";
import { nowView } from "../js/keep/operations/now.js";
import { webhooksView } from "../js/keep/operations/webhooks.js";
import { failed, fill, h, note, waiting } from "../js/ui.js";

export const title = "Operations";

const PARTS = { now: ["Now", nowView], jobs: ["Jobs", jobsView], webhooks: ["Webhooks", webhooksView], keys: ["Keys", keysView], audit: ["Audit", auditView] };
const SCOPES = { now: "audit", webhooks: "manage", keys: "admin", audit: "audit" };

export async function mount(root, context) {
  const name = context.params.path[0] in PARTS ? context.params.path[0] : "now";
  const body = h("div", { class: "stack wide" }, waiting(6));
  const links = Object.entries(PARTS).map(([key, [label]]) => h("a", { href: `#/operations/${key}`, "aria-current": key === name ? "page" : null }, label));
  fill(root, h("div", { class: "stack wide" }, h("nav", { class: "parts", "aria-label": "Parts of Operations" }, links), body));
  try {
    return await PARTS[name][1](body, context);
  } catch (problem) {
    if (!(problem instanceof api.Problem)) throw problem;
    fill(body, problem.status === 403 ? note("", "Your key may not see this: it takes the scope ", h("code", {}, SCOPES[name] ?? "admin"), ".") : failed(problem));
    return undefined;
  }
}
