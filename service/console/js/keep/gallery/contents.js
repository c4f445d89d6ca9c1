// Who and what is in a gallery, as far as a page can show it, and which labels there are.
import { api } from "../../api.js";

export const MOST = 5000;
const PAGE = 1000;

/**
 * Subjects with what is enrolled of them: {subjects: [{subject, templates: count, consent, hold, enrolled: [template]}],
 * templates, labels: Map of label → sorted values, whole: whether that is everybody}.
 */
export async function contents(gallery) {
  const [subjects, templates] = await Promise.all([
    upTo(api.path`/galleries/${gallery}/subjects`, "subjects"), upTo(api.path`/galleries/${gallery}/templates`, "templates"),
  ]);
  const own = Map.groupBy(templates.found, (template) => template.subject);
  return {
    subjects: subjects.found.map((each) => ({ ...each, enrolled: own.get(each.subject) ?? [] })),
    templates: templates.found,
    labels: labelsOf(templates.found),
    whole: subjects.whole && templates.whole,
  };
}

async function upTo(path, name) {
  const found = [];
  let following = null;
  do {
    const page = await api.get(`${path}?limit=${PAGE}${following === null ? "" : `&after=${encodeURIComponent(following)}`}`);
    found.push(...page[name]);
    following = page.next;
  } while (following !== null && found.length < MOST);
  return { found, whole: following === null };
}

/** label → its values in order; labels that most templates have come first. */
function labelsOf(templates) {
  const counts = new Map();
  for (const { labels } of templates) {
    for (const [label, value] of Object.entries(labels)) {
      const values = counts.get(label) ?? counts.set(label, new Map()).get(label);
      values.set(value, (values.get(value) ?? 0) + 1);
    }
  }
  const total = (values) => [...values.values()].reduce((sum, number) => sum + number, 0);
  const ordered = [...counts].sort(([, a], [, b]) => total(b) - total(a));
  return new Map(ordered.map(([label, values]) => [label, [...values.keys()].sort()]));
}

const DAY_MS = 86_400_000;

/** How a consent stands: {tone, text} for a tag, null where it has no end. */
export function ending({ expires }) {
  if (!expires) return null;
  const days = Math.ceil((new Date(expires) - Date.now()) / DAY_MS);
  if (days <= 0) return { tone: "bad", text: "ended", days };
  if (days <= 30) return { tone: "warn", text: days === 1 ? "1 day left" : `${days} days left`, days };
  return { tone: "", text: `${days} days`, days };
}
