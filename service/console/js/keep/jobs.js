// Long work of the service: followed until it ends.
import { api } from "../api.js";

const EVERY_MS = 500;
export const ENDED = new Set(["done", "failed", "cancelled"]);

/** Resolves with a job when it is done; throws what it failed with. progress: a <progress> that follows it. */
export async function finished(job, progress = null, onchange = () => {}) {
  let now = job;
  for (;;) {
    if (progress) show(progress, now);
    onchange(now);
    if (ENDED.has(now.state)) break;
    await new Promise((done) => { setTimeout(done, EVERY_MS); });
    now = await api.get(api.path`/jobs/${job.id}`);
  }
  if (now.state === "done") return now;
  throw new api.Problem(0, now.problem ?? { title: `The job was ${now.state}`, detail: now.reason ?? `The job was ${now.state}.` });
}

function show(progress, { done, total }) {
  progress.hidden = false;
  if (total) Object.assign(progress, { max: total, value: done });
  else progress.removeAttribute("value");
}
